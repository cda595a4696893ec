"""Secret values are shown to nobody, and are encoded as they are."""

import copy
import logging
import pickle

import msgspec
import pytest
from rich.pretty import pretty_repr

from isoline.objects import Secret, SecretValue, decode_documents, decode_object, encode, to_yaml

MANIFEST = """
apiVersion: v1
kind: Secret
metadata: {name: tls}
data: {tls.key: c2VjcmV0IGtleQ==}
stringData: {password: hunter2}
"""


def secret() -> Secret:
    (item,) = decode_documents(MANIFEST).objects
    assert isinstance(item, Secret)
    return item


def test_data_is_bytes_and_string_data_is_folded_in() -> None:
    assert secret().data == {"tls.key": b"secret key", "password": b"hunter2"}
    assert secret().string_data == {}


def test_string_data_wins_over_data() -> None:
    data = {"data": {"x": "YQ=="}, "stringData": {"x": "b"}}
    item = decode_object({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, **data})
    assert isinstance(item, Secret)
    assert item.data == {"x": b"b"}


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{:>5}".format, "%s".__mod__, pretty_repr])
def test_nothing_prints_it(show: object) -> None:
    value = SecretValue(b"hunter2")
    shown = show(value)  # type: ignore[operator]
    assert "<redacted>" in shown
    assert "hunter2" not in shown


def test_no_object_or_log_line_or_shortened_repr_holds_it(caplog: pytest.LogCaptureFixture) -> None:
    item = secret()
    logging.getLogger("test").warning("got %s and %r", item, item.data)
    for shown in (repr(item), str(item), pretty_repr(item), pretty_repr(item, max_string=3), caplog.text):
        assert "hunter2" not in shown
        assert "hun" not in shown
        assert "<redacted>" in shown


def test_copies_stay_secret() -> None:
    value = SecretValue(b"hunter2")
    for other in (copy.deepcopy(value), pickle.loads(pickle.dumps(value)), value[:3]):
        assert "hun" not in repr(other)
    assert bytes(value) == b"hunter2"


def test_it_is_encoded_as_it_is() -> None:
    assert msgspec.json.decode(encode(secret()))["data"] == {"tls.key": "c2VjcmV0IGtleQ==", "password": "aHVudGVyMg=="}
    assert decode_documents(to_yaml(secret())).objects == [secret()]


def test_a_problem_does_not_tell_it() -> None:
    text = MANIFEST.replace("c2VjcmV0IGtleQ==", "hunter2!").replace("password: hunter2", "password: 123456")
    errors = decode_documents(text).errors
    assert {error.path for error in errors} == {'data["tls.key"]', "stringData.password"}
    assert not any(word in str(error) for error in errors for word in ("hunter2!", "123456"))
