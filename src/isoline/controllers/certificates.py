"""Certificates of the local CA for sites whose Secret nobody has made."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from isoline.apps.exposure import SELF_SIGNED
from isoline.cluster.source import Source
from isoline.cluster.store import Change, Index
from isoline.controllers.authority import LocalAuthority, utc
from isoline.controllers.clock import Clock, seconds_of, timestamp
from isoline.objects.core import Secret
from isoline.objects.gateway_config import GatewayConfig
from isoline.objects.httpproxy import HTTPProxy
from isoline.objects.meta import Key, Object, ObjectMeta
from isoline.objects.networking import Ingress
from isoline.objects.secrets import SecretValue
from isoline.objects.traffic_policy import TrafficPolicy
from isoline.routing.indexes import (
    TRAFFIC_POLICIES,
    hosts_of_ingress,
    hosts_of_policy,
    normal_host,
    targets_of,
    tls_of_ingress,
)
from isoline.routing.settings import GATEWAY_CONFIG

SERVED_WITH = "httpproxies-by-secret"
"""HTTPProxies and Ingresses by the `<namespace>/<secret>` that they end TLS with, of their own namespace."""
ISSUED_BY = "isoline.dev/issued-by"
ISSUED_FOR = "isoline.dev/issued-for"
RENEW_AFTER = "isoline.dev/renew-after"
WORKERS = 64
"""Keys under way at a time, and so the most certificates that are made in one batch."""
MOST_EVENTS_AT_ONCE = 8


def _secrets(proxy: HTTPProxy) -> Iterator[str]:
    root = proxy.spec.virtualhost
    if root is not None and root.tls is not None and root.tls.secret_name and "/" not in root.tls.secret_name:
        yield f"{proxy.metadata.namespace}/{root.tls.secret_name}"


def _secrets_of_ingress(ingress: Ingress) -> Iterator[str]:
    return iter({f"{ingress.metadata.namespace}/{secret}": None for _, secret in _endings(ingress)})


def _endings(ingress: Ingress) -> Iterator[tuple[str, str]]:
    """Each host of an Ingress that ends TLS with a Secret of the Ingress's namespace, and that Secret."""
    for host in hosts_of_ingress(ingress) if ingress.spec.tls else ():
        tls = tls_of_ingress(ingress, host)
        if tls is not None and tls.secret_name and "/" not in tls.secret_name:
            yield host, tls.secret_name


def _needed(item: object) -> Iterator[str]:
    match item:
        case HTTPProxy():
            yield from _secrets(item)
        case Ingress():
            yield from _secrets_of_ingress(item)


def _hosts_with(item: object, secret: str) -> Iterator[str]:
    """The hosts for which an object ends TLS with this Secret of its namespace."""
    match item:
        case HTTPProxy():
            host = None if item.spec.virtualhost is None else normal_host(item.spec.virtualhost.fqdn)
            if host is not None:
                yield host
        case Ingress():
            yield from (host for host, name in _endings(item) if name == secret)


INDEXES = (Index(SERVED_WITH, "HTTPProxy", _secrets), Index(SERVED_WITH, "Ingress", _secrets_of_ingress))


class Request(NamedTuple):
    """A Secret that is to hold a certificate for these hosts."""

    key: Key
    hosts: tuple[str, ...]
    done: asyncio.Future[None]


class Certificates:
    """Reconciles Secrets. Those of somebody else's are left alone; ours go when no site needs them any more."""

    name = "certificates"

    def __init__(self, source: Source, authority: LocalAuthority, clock: Clock, *, one_machine: bool = True) -> None:
        self._source = source
        self._authority = authority
        self._clock = clock
        self._one_machine = one_machine
        self._requests: list[Request] = []
        self._issuing: asyncio.Task[None] | None = None

    def touched_by(self, change: Change) -> Iterable[Key]:
        if change.status_only:
            return ()
        match change.key.kind:
            case "Secret":
                return (change.key,) if self._source.store.find(SERVED_WITH, _name(change.key)) else ()
            case "HTTPProxy" | "Ingress":
                return {_key(name) for item in (change.old, change.new) for name in _needed(item)}
            case "TrafficPolicy":
                policies = (item for item in (change.old, change.new) if isinstance(item, TrafficPolicy))
                found = (self._source.store.get(target) for policy in policies for target in targets_of(policy))
                return {_key(name) for item in found for name in _needed(item)}
            case "GatewayConfig":
                return self.everything()
        return ()

    def everything(self) -> Iterable[Key]:
        store = self._source.store
        served = (item for kind in ("HTTPProxy", "Ingress") for item in store.of_kind(kind))
        needed = {_key(name) for item in served for name in _needed(item)}
        ours = {secret.key for secret in self._source.store.of_kind("Secret") if is_issued(secret)}
        return needed | ours

    async def reconcile(self, key: Key) -> float | None:
        hosts = self._hosts(key)
        secret = self._source.store.get(key)
        if secret is not None and not is_issued(secret):
            return None
        if not hosts:
            if secret is not None:
                await self._source.delete([key], origin=self.name)
            return None
        if secret is not None:
            left = self._left(secret.metadata, hosts)
            if left > 0:
                return left
        await self._issue(key, hosts)
        # The new Secret is a change of its own, and brings this key up again.
        return None

    def _hosts(self, key: Key) -> tuple[str, ...]:
        """The hosts that are to have a certificate in this Secret; none where the local CA is not wanted."""
        found: set[str] = set()
        for user in self._source.store.find(SERVED_WITH, _name(key)):
            item = self._source.store.get(user)
            if item is not None and self._wanted(item):
                found.update(_hosts_with(item, key.name))
                found.update(self._hosts_given(item))
        return tuple(sorted(found))

    def _hosts_given(self, item: Object) -> Iterator[str]:
        """The hosts that policies give to an HTTPProxy."""
        if isinstance(item, HTTPProxy):
            for key in self._source.store.find(TRAFFIC_POLICIES, str(item.key)):
                policy = self._source.store.get(key)
                if isinstance(policy, TrafficPolicy):
                    yield from hosts_of_policy(policy)[1:]

    def _wanted(self, item: Object) -> bool:
        own = item.metadata.annotations.get(SELF_SIGNED)
        if own in {"true", "false"}:
            return own == "true"
        config = self._source.store.get(GATEWAY_CONFIG)
        given = config.spec.tls.self_signed if isinstance(config, GatewayConfig) else None
        return self._one_machine if given is None else given

    def _left(self, metadata: ObjectMeta, hosts: tuple[str, ...]) -> float:
        """Seconds until a certificate of ours is due; 0 when it is not for these hosts, or of another CA."""
        notes = metadata.annotations
        if notes[ISSUED_BY] != self._authority.fingerprint or notes.get(ISSUED_FOR) != ",".join(hosts):
            return 0.0
        try:
            return max(seconds_of(notes[RENEW_AFTER]) - self._clock.now(), 0.0)
        except (KeyError, ValueError):
            return 0.0

    async def _issue(self, key: Key, hosts: tuple[str, ...]) -> None:
        """Have a Secret made along with all others that are asked for at this time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.append(Request(key, hosts, done))
        if self._issuing is None:
            self._issuing = asyncio.create_task(self._issue_all(), name="local CA")
        await done

    async def _issue_all(self) -> None:
        try:
            while self._requests:
                batch, self._requests = self._requests, []
                try:
                    secrets = await asyncio.to_thread(self._make, batch)
                    await self._source.apply(secrets, origin=self.name)
                except Exception as error:
                    for request in batch:
                        if not request.done.done():
                            request.done.set_exception(error)
                else:
                    self._tell(batch)
                    for request in batch:
                        if not request.done.done():
                            request.done.set_result(None)
        finally:
            self._issuing = None

    def _make(self, batch: Iterable[Request]) -> list[Secret]:
        return [self._secret(request.key, request.hosts) for request in batch]

    def _secret(self, key: Key, hosts: tuple[str, ...]) -> Secret:
        issued = self._authority.issue(hosts, now=utc(self._clock.now()))
        notes = {
            ISSUED_BY: self._authority.fingerprint,
            ISSUED_FOR: ",".join(hosts),
            RENEW_AFTER: timestamp(issued.renew_at.timestamp()),
        }
        return Secret(
            metadata=ObjectMeta(name=key.name, namespace=key.namespace, annotations=notes),
            type="kubernetes.io/tls",
            data={"tls.crt": SecretValue(issued.certificate), "tls.key": SecretValue(issued.key)},
        )

    def _tell(self, batch: list[Request]) -> None:
        events = self._source.events
        if len(batch) > MOST_EVENTS_AT_ONCE:
            about = Key("Secret", "", "*")
            events.normal(about, "Issued", f"{len(batch)} certificates by the local CA: `isoline trust` has it trusted")
            return
        for request in batch:
            hosts = ", ".join(request.hosts)
            events.normal(request.key, "Issued", f"{hosts}: by the local CA; `isoline trust` has it trusted")


def is_issued(item: object) -> bool:
    """Whether a Secret holds a certificate that the local CA has issued."""
    return isinstance(item, Secret) and ISSUED_BY in item.metadata.annotations


def _name(key: Key) -> str:
    return f"{key.namespace}/{key.name}"


def _key(name: str) -> Key:
    namespace, _, secret = name.partition("/")
    return Key("Secret", namespace, secret)
