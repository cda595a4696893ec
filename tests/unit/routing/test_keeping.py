"""The last good certificate serves on when its Secret goes away, for as long as that is what its owner wants."""

import msgspec
import pytest

from isoline.objects import Secret
from isoline.objects.core import ServicePort
from isoline.objects.secrets import SecretValue
from isoline.routing.certificates import end_of
from isoline.routing.statuses import VALID
from isoline.routing.update import Update
from unit.routing.changing import A, B, World, secure
from unit.routing.support import errors, key_of, objects, secret, self_signed, service


def broken(item: Secret) -> Secret:
    return msgspec.structs.replace(item, data={"tls.crt": SecretValue(b"nonsense"), "tls.key": SecretValue(b"more")})


def warnings(update: Update, name: str = "a") -> list[str]:
    status = update.statuses[key_of(name)]
    assert status is not None
    assert not status.errors
    return [warning.message for warning in status.warnings]


@pytest.mark.parametrize("gone", [True, False])
def test_the_last_good_certificate_serves_on_when_its_secret_goes_or_breaks(gone: bool) -> None:
    world = World(secure("a", A), secret(), service("a"))
    update = world.delete(secret()) if gone else world.put(broken(secret()))
    assert (update.sites, update.certificates) == ({}, {})
    (warning,) = warnings(update)
    assert warning.startswith('spec.virtualhost.tls.secretName: Secret "default/tls" is invalid: ')
    end = end_of(secret())
    assert warning.endswith(f"; its last good certificate serves until it ends on {end:%Y-%m-%d at %H:%M} UTC")
    assert world.scheduler.kept_certificates == {"default/tls": end.timestamp()}
    # Other objects that the site reads may change as ever.
    assert world.put(service("a", "default", ServicePort(name="web", port=80))).sites.keys() == {A}
    update = world.put(secret(contents=self_signed()))
    assert update.certificates.keys() == {"default/tls"}
    assert update.statuses == {key_of("a"): VALID}
    assert world.scheduler.kept_certificates == {}


def test_a_kept_certificate_serves_until_its_object_is_written_anew() -> None:
    world = World(secure("a", A).with_metadata(generation=1), secret(), service("a"))
    world.delete(secret())
    assert world.put(secure("a", A).with_metadata(generation=1, labels={"team": "voice"})).sites == {}
    update = world.put(secure("a", A).with_metadata(generation=2))
    assert update.sites == {A: None}
    assert update.certificates == {"default/tls": None}
    status = update.statuses[key_of("a")]
    assert status is not None
    assert errors(status) == [("TLSError", "SecretNotValid")]
    assert world.scheduler.kept_certificates == {}


def test_a_kept_certificate_serves_until_it_ends() -> None:
    world = World(secure("a", A), secure("b", B, "other"), secret(), secret("other"), service("a"), service("b"))
    world.delete(secret())
    assert not any(world.scheduler.end_certificates())
    world.later = 100 * 365 * 86400.0
    ended = Update()
    for update in world.scheduler.end_certificates():
        ended.add(update)
    assert ended.sites == {A: None}
    assert ended.certificates == {"default/tls": None}


def test_whoever_comes_later_is_not_served_with_a_certificate_that_has_no_secret() -> None:
    world = World(secure("a", A), secret(), service("a"), service("b"))
    world.delete(secret())
    update = world.put(secure("b", B))
    assert B not in update.sites
    status = update.statuses[key_of("b")]
    assert status is not None
    assert errors(status) == [("TLSError", "SecretNotValid")]


def test_who_may_not_use_a_certificate_any_more_does_not_keep_it() -> None:
    (lent,) = objects(
        """
        apiVersion: projectcontour.io/v1
        kind: TLSCertificateDelegation
        metadata: {name: lent, namespace: certs}
        spec: {delegations: [{secretName: tls, targetNamespaces: ["*"]}]}
        """
    )
    world = World(secure("a", A, "certs/tls"), secret("tls", "certs"), lent, service("a"))
    update = world.delete(lent)
    assert update.sites == {A: None}
