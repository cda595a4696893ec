"""Keys, JSON names and what every object has."""

import msgspec
import pytest

from isoline.objects import HTTPProxy, Key, Namespace, ObjectMeta, Service, find_kind
from isoline.objects.httpproxy import HTTPProxySpec
from isoline.objects.model import json_name
from isoline.objects.registry import BY_NAME, KINDS


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ("secret_name", "secretName"),
        ("cluster_ip", "clusterIP"),
        ("cluster_ips", "clusterIPs"),
        ("remote_jwks", "remoteJWKS"),
        ("forward_jwt", "forwardJWT"),
        ("hash_source_ip", "hashSourceIP"),
        ("ip_allow_policy", "ipAllowPolicy"),
        ("request_headers_kib", "requestHeadersKiB"),
        ("set_hostname_as_fqdn", "setHostnameAsFQDN"),
        ("virtualhost", "virtualhost"),
        ("from_", "from"),
        ("global_", "global"),
    ],
)
def test_attributes_have_the_json_names_of_the_api(attribute: str, name: str) -> None:
    assert json_name(attribute) == name


def test_a_key_prints_as_people_name_objects() -> None:
    assert str(Key("HTTPProxy", "default", "voice")) == "HTTPProxy default/voice"
    assert str(Key("Namespace", "", "team-a")) == "Namespace team-a"


def test_an_object_knows_its_key() -> None:
    assert Service(metadata=ObjectMeta(name="a", namespace="b")).key == Key("Service", "b", "a")
    assert Namespace(metadata=ObjectMeta(name="a")).key == Key("Namespace", "", "a")


def test_an_object_cannot_be_changed_but_copied() -> None:
    proxy = HTTPProxy(metadata=ObjectMeta(name="a", namespace="b"), spec=HTTPProxySpec())
    with pytest.raises(AttributeError):
        proxy.spec = HTTPProxySpec()  # type: ignore[misc]
    copy = proxy.with_metadata(generation=2)
    assert (copy.metadata.generation, copy.metadata.name, proxy.metadata.generation) == (2, "a", 0)


def test_every_kind_is_its_class_with_its_api_version() -> None:
    for kind in KINDS:
        fields = {field.name: field for field in msgspec.structs.fields(kind.type)}
        assert kind.type.__name__ == kind.name
        assert fields["kind"].default_factory() == kind.name
        assert fields["api_version"].default_factory() == kind.api_version


@pytest.mark.parametrize("word", ["httpproxy", "HTTPProxies", "proxy", "HTTPProxy"])
def test_people_may_call_a_kind_by_several_names(word: str) -> None:
    assert find_kind(word) is BY_NAME["HTTPProxy"]


def test_an_unheard_of_kind_is_none() -> None:
    assert find_kind("pods") is None
    names = [name for kind in KINDS for name in kind.names]
    assert len(names) == len(set(names))
