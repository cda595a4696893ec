"""Leader election by a Lease: of several control planes one writes statuses; which one does not matter.

The rules are those of Kubernetes' own components: whoever holds the lease renews it; whoever does not takes it when it
has not been renewed for its duration, by his own clock. Nobody's clock need be right.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import structlog

from isoline.cluster.kubernetes.client import JSON, Client
from isoline.cluster.kubernetes.errors import APIError, KubernetesError

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class LeaseSettings:
    """Which lease, and its times in seconds: Kubernetes' own."""

    namespace: str
    name: str = "isoline-leader"
    duration: float = 15.0
    """After so long without a renewal it is anybody's."""
    renew_deadline: float = 10.0
    """A leader that could not renew for so long is none any more. Less than the duration."""
    retry: float = 2.0
    """Between two tries."""


class _Spec(msgspec.Struct, rename="camel", omit_defaults=True):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _Lease(msgspec.Struct, rename="camel"):
    metadata: dict[str, object]
    spec: _Spec = msgspec.field(default_factory=_Spec)
    api_version: str = "coordination.k8s.io/v1"
    kind: str = "Lease"


class LeaderElection:
    """Takes part in an election. `on_change` hears whether we lead, each time that turns."""

    def __init__(
        self,
        client: Client,
        settings: LeaseSettings,
        *,
        identity: str,
        on_change: Callable[[bool], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leading = False
        self.holder = ""
        """Who leads, as far as we know."""
        self._client = client
        self._settings = settings
        self._identity = identity
        self._on_change = on_change
        self._clock = clock
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{settings.namespace}/leases"
        self._seen: tuple[str | None, str | None] = (None, None)
        self._seen_at = clock()
        self._renewed_at = 0.0

    async def run(self) -> None:
        """Stand for election until cancelled."""
        while True:
            began = self._clock()
            try:
                # A server that does not answer must not keep a leader in office.
                async with asyncio.timeout(self._settings.renew_deadline):
                    held = await self._try()
            except (KubernetesError, TimeoutError, msgspec.MsgspecError) as error:
                _log.warning("lease", lease=self._settings.name, reason=str(error) or "no answer in time")
                held = self.leading and self._clock() - self._renewed_at < self._settings.renew_deadline
            else:
                if held:
                    self._renewed_at = began
            self._set(held)
            await asyncio.sleep(self._settings.retry * random.uniform(0.9, 1.1))  # noqa: S311 - not a secret

    async def release(self) -> None:
        """Give it up, so that another need not wait. Call it when `run` has ended."""
        if not self.leading:
            return
        self._set(False)
        try:
            lease = await self._get()
            if lease is not None and lease.spec.holder_identity == self._identity:
                lease.spec = _Spec(lease_duration_seconds=1, lease_transitions=lease.spec.lease_transitions)
                await self._put(lease)
        except KubernetesError as error:
            _log.info("lease not given up", reason=str(error))

    def _set(self, leading: bool) -> None:
        if leading != self.leading:
            self.leading = leading
            _log.info("leads" if leading else "leads no longer", identity=self._identity)
            self._on_change(leading)

    async def _try(self) -> bool:
        """Whether the lease is ours now."""
        lease = await self._get()
        try:
            if lease is None:
                metadata: dict[str, object] = {"name": self._settings.name, "namespace": self._settings.namespace}
                await self._send("POST", self._collection, _Lease(metadata, self._claim(_Spec())))
            elif self._is_taken(lease.spec):
                self.holder = lease.spec.holder_identity or ""
                return False
            else:
                lease.spec = self._claim(lease.spec)
                await self._put(lease)
        except APIError as error:
            if error.status == 409:
                # Somebody was faster.
                return False
            raise
        self.holder = self._identity
        return True

    def _is_taken(self, spec: _Spec) -> bool:
        seen = (spec.holder_identity, spec.renew_time)
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        if not spec.holder_identity or spec.holder_identity == self._identity:
            return False
        return self._clock() - self._seen_at < (spec.lease_duration_seconds or self._settings.duration)

    def _claim(self, before: _Spec) -> _Spec:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        ours = before.holder_identity == self._identity
        transitions = before.lease_transitions or 0
        return _Spec(
            holder_identity=self._identity,
            lease_duration_seconds=max(1, round(self._settings.duration)),
            acquire_time=before.acquire_time if ours else now,
            renew_time=now,
            lease_transitions=transitions if ours or before.acquire_time is None else transitions + 1,
        )

    async def _get(self) -> _Lease | None:
        try:
            body = await self._client.send("GET", f"{self._collection}/{self._settings.name}")
        except APIError as error:
            if error.status == 404:
                return None
            raise
        return msgspec.json.decode(body, type=_Lease)

    async def _put(self, lease: _Lease) -> None:
        # The resource version in it makes the server refuse it when somebody was faster.
        await self._send("PUT", f"{self._collection}/{self._settings.name}", lease)

    async def _send(self, method: str, path: str, lease: _Lease) -> None:
        await self._client.send(method, path, body=msgspec.json.encode(lease), content_type=JSON)
