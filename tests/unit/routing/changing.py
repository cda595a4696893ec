"""A world whose objects come, change and go, and what a scheduler makes of it."""

import datetime as dt
from collections.abc import Callable
from functools import partial

from isoline.cluster.store import Store
from isoline.objects import EndpointSlice, HTTPProxy, Key, Object, ObjectMeta
from isoline.objects.discovery import Endpoint, EndpointPort
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from isoline.routing.update import Update
from unit.routing.support import proxy, root

A, B = "a.example.com", "b.example.com"
START = dt.datetime(2026, 1, 2, tzinfo=dt.UTC).timestamp()
"""A day on which the certificates of tests are valid."""


def scheduler_of(store: Store, clock: Callable[[], float] = lambda: START) -> Scheduler:
    return Scheduler(
        store,
        settings_of=partial(settings_from_config, one_machine=False),
        gateway_of=partial(gateway_from_config, http_port=80, https_port=443),
        clock=clock,
    )


class World:
    """A store and the scheduler that follows it."""

    def __init__(self, *items: Object) -> None:
        self.store = Store(INDEXES)
        self.store.apply(items)
        self.later = 0.0
        self.scheduler = scheduler_of(self.store, lambda: START + self.later)
        self.begin = Update()
        for update in self.scheduler.start():
            self.begin.add(update)

    def put(self, *items: Object) -> Update:
        return self.scheduler.apply(self.store.apply(items))

    def delete(self, *items: Object | Key) -> Update:
        keys = [item.key if isinstance(item, Object) else item for item in items]
        return self.scheduler.apply(self.store.apply(delete=keys))

    def recompiled(self) -> set[str]:
        """The hosts that the last step compiled."""
        return {unit.name for unit in self.scheduler.recompiled if unit.kind == "site"}


def to(name: str, host: str, more: str = "") -> HTTPProxy:
    """A root that forwards everything to the Service of that name."""
    return root(f"routes: [{{services: [{{name: {name}, port: 80}}]}}]\n{more}", name, host=host)


def secure(name: str, host: str, secret_name: str = "tls") -> HTTPProxy:
    return proxy(
        f"virtualhost: {{fqdn: '{host}', tls: {{secretName: {secret_name}}}}}\n"
        f"routes: [{{services: [{{name: {name}, port: 80}}]}}]",
        name,
    )


def slice_of(name: str, *addresses: str) -> EndpointSlice:
    return EndpointSlice(
        metadata=ObjectMeta(name=name, namespace="default", labels={"kubernetes.io/service-name": name}),
        address_type="IPv4",
        endpoints=tuple(Endpoint(addresses=(address,)) for address in addresses),
        ports=(EndpointPort(port=8000),),
    )
