"""The local CA: what it issues, for whom, when again, and what it leaves alone."""

import ssl
import stat
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder
from cryptography.x509.verification import Store as TrustStore

from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.controllers.authority import LIFETIME, Issued, LocalAuthority, open_authority, utc
from isoline.controllers.certificates import INDEXES, WORKERS, Certificates
from isoline.controllers.runner import Loop, Runner
from isoline.objects import Key, Secret
from isoline.routing.certificates import secret_problem
from isoline.routing.indexes import INDEXES as ROUTING_INDEXES
from unit.controllers.support import FakeClock, manifests

DAY = 86400.0


def proxy(name: str, host: str, secret: str = "web-tls", extra: str = "") -> str:
    return f"""
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: {name}{extra}}}
spec: {{virtualhost: {{fqdn: "{host}", tls: {{secretName: {secret}}}}}}}
"""


def config(self_signed: str) -> str:
    return (
        "apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\n"
        f"spec: {{tls: {{selfSigned: {self_signed}}}}}\n"
    )


class Rig:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(1_790_000_000.0)
        self.state = StateFolder(folder)
        self.state.acquire()
        self.source = LocalSource(Store((*INDEXES, *ROUTING_INDEXES)), self.state, None)
        self.authority, _ = open_authority(self.state.ca_certificate, self.state.ca_key, now=utc(self.clock.now()))
        self.loop = Loop(Certificates(self.source, self.authority, self.clock), self.clock, workers=WORKERS)
        self.runner = Runner(self.source.store, (self.loop,))

    async def apply(self, *documents: str) -> None:
        await self.source.apply(manifests("---".join(documents)))
        await self.runner.idle(self.loop)

    async def delete(self, kind: str, name: str) -> None:
        await self.source.delete([Key(kind, "default" if kind != "GatewayConfig" else "", name)])
        await self.runner.idle(self.loop)

    def secret(self, name: str = "web-tls") -> Secret | None:
        found = self.source.store.get(Key("Secret", "default", name))
        assert found is None or isinstance(found, Secret)
        return found

    def hosts(self, name: str = "web-tls") -> list[str]:
        found = self.secret(name)
        if found is None:
            return []
        certificate = x509.load_pem_x509_certificate(bytes(found.data["tls.crt"]))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.DNSName)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path / "state")
    await made.source.start()
    made.runner.start()
    yield made
    await made.runner.stop()
    await made.source.stop()


async def test_a_site_without_a_secret_gets_one_that_a_client_of_the_ca_accepts(rig: Rig) -> None:
    await rig.apply(proxy("web", "Voice.Example.com"))

    secret = rig.secret()
    assert secret is not None
    assert secret.type == "kubernetes.io/tls"
    assert secret_problem(secret) == ""
    leaf = x509.load_pem_x509_certificate(bytes(secret.data["tls.crt"]))
    authority = x509.load_pem_x509_certificate(rig.state.ca_certificate.read_bytes())
    for host in ("voice.example.com",):
        verifier = (
            PolicyBuilder()
            .store(TrustStore([authority]))
            .time(utc(rig.clock.now() + DAY))
            .build_server_verifier(x509.DNSName(host))
        )
        assert verifier.verify(leaf, []) == [leaf, authority]
    assert leaf.not_valid_after_utc - utc(rig.clock.now()) == LIFETIME
    assert leaf.public_key() == load_pem_private_key(bytes(secret.data["tls.key"]), None).public_key()


async def test_what_was_issued_is_told_and_secrets_are_not(rig: Rig) -> None:
    await rig.apply(proxy("web", "voice.example.com"))

    (event,) = [event for event in rig.source.events.after() if event.reason == "Issued"]
    assert "voice.example.com" in event.message
    assert "isoline trust" in event.message
    assert "PRIVATE" not in repr(rig.secret())


async def test_sites_that_share_a_secret_share_its_certificate(rig: Rig) -> None:
    await rig.apply(proxy("one", "a.example.com"), proxy("two", "*.b.example.com"))
    assert rig.hosts() == ["*.b.example.com", "a.example.com"]

    await rig.delete("HTTPProxy", "one")
    assert rig.hosts() == ["*.b.example.com"]

    await rig.delete("HTTPProxy", "two")
    assert rig.secret() is None


async def test_hosts_that_a_policy_gives_are_in_the_certificate(rig: Rig) -> None:
    await rig.apply(config("true"), proxy("web", "web.example.com"))
    policy = """
apiVersion: isoline.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: more}
spec: {targetRefs: [{kind: HTTPProxy, name: web}], hosts: [web.example.org]}
"""
    await rig.apply(policy)
    assert rig.hosts() == ["web.example.com", "web.example.org"]
    await rig.delete("TrafficPolicy", "more")
    assert rig.hosts() == ["web.example.com"]


async def test_somebody_elses_secret_is_left_alone_and_takes_the_place_of_ours(rig: Rig) -> None:
    own = "apiVersion: v1\nkind: Secret\nmetadata: {name: web-tls}\nstringData: {tls.crt: mine}\n"
    await rig.apply(proxy("web", "a.example.com"))
    await rig.apply(own)
    secret = rig.secret()
    assert secret is not None
    assert bytes(secret.data["tls.crt"]) == b"mine"

    await rig.delete("Secret", "web-tls")

    assert rig.hosts() == ["a.example.com"]


@pytest.mark.parametrize(
    ("gateway", "annotation", "issued"),
    [
        (None, "", True),
        ("false", "", False),
        ("true", "", True),
        ("false", ', annotations: {isoline.dev/self-signed: "true"}', True),
        (None, ', annotations: {isoline.dev/self-signed: "false"}', False),
    ],
)
async def test_who_says_whether_the_local_ca_is_wanted(
    rig: Rig, gateway: str | None, annotation: str, issued: bool
) -> None:
    await rig.apply(*([config(gateway)] if gateway else []), proxy("web", "a.example.com", extra=annotation))

    assert (rig.secret() is not None) == issued


async def test_a_change_of_the_gateways_mind_is_followed(rig: Rig) -> None:
    await rig.apply(proxy("web", "a.example.com"))
    await rig.apply(config("false"))
    assert rig.secret() is None

    await rig.delete("GatewayConfig", "default")
    assert rig.hosts() == ["a.example.com"]


async def test_a_certificate_is_replaced_after_two_thirds_of_its_life(rig: Rig) -> None:
    await rig.apply(proxy("web", "a.example.com"))
    first = rig.secret()

    await rig.clock.advance(59 * DAY)
    assert rig.secret() == first

    await rig.clock.advance(2 * DAY)
    await rig.runner.idle(rig.loop)
    assert rig.secret() != first
    assert rig.hosts() == ["a.example.com"]


async def test_another_authority_replaces_what_the_one_before_has_issued(rig: Rig, tmp_path: Path) -> None:
    await rig.apply(proxy("web", "a.example.com"))
    first = rig.secret()
    other, made = open_authority(tmp_path / "ca.crt", tmp_path / "ca.key", now=utc(rig.clock.now()))
    assert made

    await Certificates(rig.source, other, rig.clock).reconcile(Key("Secret", "default", "web-tls"))

    assert rig.secret() != first


@pytest.mark.parametrize("host", ["", "*", "a b.example.com", "a.example.com:443"])
async def test_a_host_that_is_none_gets_no_certificate(rig: Rig, host: str) -> None:
    await rig.apply(proxy("web", host))

    assert rig.secret() is None


async def test_a_secret_of_another_namespace_is_not_ours_to_make(rig: Rig) -> None:
    await rig.apply(proxy("web", "a.example.com", secret="other/web-tls"))

    assert rig.source.store.count("Secret") == 0


async def test_what_could_not_be_issued_is_tried_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = rig.authority.issue
    failures = iter([OSError("no entropy")])

    def sometimes(hosts: Sequence[str], *, now: datetime) -> Issued:
        for failure in failures:
            raise failure
        return issue(hosts, now=now)

    monkeypatch.setattr(rig.authority, "issue", sometimes)
    with structlog.testing.capture_logs() as logged:
        await rig.apply(proxy("web", "a.example.com"))
        assert rig.secret() is None
        await rig.clock.advance(1)
        await rig.runner.idle(rig.loop)

    assert rig.hosts() == ["a.example.com"]
    assert [entry["controller"] for entry in logged] == ["certificates"]


async def test_hundreds_are_issued_in_few_batches(rig: Rig) -> None:
    await rig.apply(*(proxy(f"p{number}", f"h{number}.example.com", f"s{number}") for number in range(200)))

    assert rig.source.store.count("Secret") == 200
    events = [event for event in rig.source.events.after() if event.reason == "Issued"]
    assert sum(int(event.message.split()[0]) * event.count for event in events if event.message[0].isdigit()) <= 200
    assert len(events) < 20


def test_an_authority_is_made_once_and_found_again(tmp_path: Path) -> None:
    paths = (tmp_path / "ca.crt", tmp_path / "ca.key")
    now = utc(FakeClock().now())
    first, made = open_authority(*paths, now=now)
    again, made_again = open_authority(*paths, now=now + timedelta(days=3000))

    assert (made, made_again) == (True, False)
    assert first.fingerprint == again.fingerprint
    assert stat.S_IMODE(paths[1].stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["certificate", "key", "age", "mixture"])
def test_an_authority_that_cannot_be_used_is_made_anew(tmp_path: Path, damage: str) -> None:
    certificate, key = tmp_path / "ca.crt", tmp_path / "ca.key"
    now = utc(FakeClock().now())
    first, _ = open_authority(certificate, key, now=now)
    if damage == "certificate":
        certificate.write_text("?")
    elif damage == "key":
        key.unlink()
    elif damage == "mixture":
        open_authority(tmp_path / "other.crt", key.with_name("other.key"), now=now)
        key.write_bytes((tmp_path / "other.key").read_bytes())
    later = timedelta(days=3600) if damage == "age" else timedelta()

    second, made = open_authority(certificate, key, now=now + later)

    assert made
    assert second.fingerprint != first.fingerprint


def test_the_authority_signs_for_host_names_and_nothing_else(tmp_path: Path) -> None:
    open_authority(tmp_path / "ca.crt", tmp_path / "ca.key", now=utc(FakeClock().now()))
    certificate = x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    names = certificate.extensions.get_extension_for_class(x509.NameConstraints)

    assert (constraints.value.ca, constraints.value.path_length, constraints.critical) == (True, 0, True)
    assert names.value.excluded_subtrees
    # OpenSSL takes it as an anchor.
    assert ssl.create_default_context(cafile=str(tmp_path / "ca.crt")).get_ca_certs()


def test_a_certificate_needs_a_host(tmp_path: Path) -> None:
    authority: LocalAuthority
    authority, _ = open_authority(tmp_path / "ca.crt", tmp_path / "ca.key", now=utc(FakeClock().now()))

    with pytest.raises(ValueError, match="at least one"):
        authority.issue([], now=utc(0))


def ingress(hosts: str, secret: str = "web-tls") -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec:
  tls: [{{hosts: [{hosts}], secretName: {secret}}}]
  rules: [{{host: a.example.com}}, {{host: b.example.com}}]
"""


async def test_an_ingress_gets_one_for_those_of_its_hosts_that_end_tls(rig: Rig) -> None:
    await rig.apply(ingress("A.example.com, elsewhere.example.com"))
    assert rig.hosts() == ["a.example.com"]

    await rig.apply(ingress("a.example.com, b.example.com"), proxy("proxy", "c.example.com"))
    assert rig.hosts() == ["a.example.com", "b.example.com", "c.example.com"]

    await rig.delete("HTTPProxy", "proxy")
    await rig.delete("Ingress", "web")
    assert rig.secret() is None
