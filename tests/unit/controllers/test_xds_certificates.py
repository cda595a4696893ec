"""Certificates of the stream to Envoy are made once, renewed in time, and never by a CA that the other side cannot
know yet."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import ClientVerifier, PolicyBuilder, Store

from isoline.controllers.xds_certificates import AUTHORITY, CONTROL_PLANE, ENVOY, renew, renewals

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

Kept = dict[str, Mapping[str, bytes] | None]


class Drawer:
    """A keeper in memory."""

    def __init__(self) -> None:
        self.kept: Kept = {}

    async def read(self, name: str) -> Mapping[str, bytes] | None:
        return self.kept.get(name)

    async def write(self, name: str, contents: Mapping[str, bytes]) -> None:
        self.kept[name] = contents


def after(kept: Kept, now: datetime) -> tuple[Kept, set[str]]:
    due = renewals(kept, namespace="gateway", now=now)
    return {**kept, **due}, set(due)


def first(contents: Mapping[str, bytes] | None) -> x509.Certificate:
    assert contents is not None
    return x509.load_pem_x509_certificate(contents["tls.crt"])


def client_verifier(kept: Kept, now: datetime) -> ClientVerifier:
    """As the control plane judges an Envoy."""
    control_plane = kept[CONTROL_PLANE]
    assert control_plane is not None
    trusted = Store(x509.load_pem_x509_certificates(control_plane["ca.crt"]))
    return PolicyBuilder().store(trusted).time(now).build_client_verifier()


def test_at_first_all_three_are_made_and_then_nothing_is_due() -> None:
    kept, written = after({}, NOW)
    assert written == {AUTHORITY, CONTROL_PLANE, ENVOY}
    assert after(kept, NOW + DAY)[1] == set()
    assert "ca.crt" not in (kept[AUTHORITY] or {})


def test_each_side_is_for_its_own_purpose_and_the_control_plane_for_its_names() -> None:
    kept, _ = after({}, NOW)
    names = first(kept[CONTROL_PLANE]).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [
        "isoline",
        "isoline.gateway",
        "isoline.gateway.svc",
        "isoline.gateway.svc.cluster.local",
    ]
    for name, usage in ((CONTROL_PLANE, ExtendedKeyUsageOID.SERVER_AUTH), (ENVOY, ExtendedKeyUsageOID.CLIENT_AUTH)):
        assert list(first(kept[name]).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [usage]
    client_verifier(kept, NOW).verify(first(kept[ENVOY]), [])


def test_a_certificate_is_renewed_when_a_third_of_its_life_is_left() -> None:
    kept, _ = after({}, NOW)
    assert after(kept, NOW + 59 * DAY)[1] == set()
    renewed, written = after(kept, NOW + 61 * DAY)
    assert written == {CONTROL_PLANE, ENVOY}
    assert first(renewed[ENVOY]).not_valid_after_utc > NOW + 150 * DAY
    client_verifier(renewed, NOW + 61 * DAY).verify(first(renewed[ENVOY]), [])


def test_a_new_ca_is_trusted_by_both_sides_before_it_issues_anything_and_no_side_ever_refuses_the_other() -> None:
    kept, _ = after({}, NOW)
    now = NOW
    issuers = set()
    while now < NOW + timedelta(days=3000):
        now += 5 * DAY
        before = kept
        kept, _ = after(kept, now)
        # Files of Secrets arrive at different times: old and new must believe each other.
        for judge in (before, kept):
            for envoy in (before, kept):
                client_verifier(judge, now).verify(first(envoy[ENVOY]), [])
        issuers.add(first(kept[ENVOY]).issuer.rfc4514_string())
    assert len(issuers) == 2


def test_what_cannot_be_used_is_made_anew_and_the_rest_stays() -> None:
    kept, _ = after({}, NOW)
    envoy = kept[ENVOY]
    assert envoy is not None
    broken: Kept = {**kept, ENVOY: {**envoy, "tls.key": (kept[CONTROL_PLANE] or {})["tls.key"]}}
    assert after(broken, NOW)[1] == {ENVOY}
    assert after({**kept, CONTROL_PLANE: {"tls.crt": b"", "tls.key": b""}}, NOW)[1] == {CONTROL_PLANE}
    assert after({**kept, AUTHORITY: None}, NOW)[1] == {AUTHORITY, CONTROL_PLANE, ENVOY}


async def test_what_is_written_is_told_and_all_of_it_on_demand() -> None:
    drawer = Drawer()
    assert await renew(drawer, namespace="gateway", now=NOW) == [AUTHORITY, CONTROL_PLANE, ENVOY]
    assert await renew(drawer, namespace="gateway", now=NOW) == []
    assert len(await renew(drawer, namespace="gateway", now=NOW, anew=True)) == 3
