"""What holds after any sequence of changes: incremental equals fresh, and a change compiles only what read it."""

import math
from functools import partial
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isoline.cluster.store import Change, Store
from isoline.objects import (
    EndpointSlice,
    GatewayConfig,
    HTTPProxy,
    HTTPProxySpec,
    Ingress,
    Key,
    Object,
    ObjectMeta,
    Secret,
    SecretValue,
    TLSCertificateDelegation,
)
from isoline.objects.core import ServicePort
from isoline.objects.delegation import CertificateDelegation, TLSCertificateDelegationSpec
from isoline.objects.discovery import Endpoint, EndpointConditions, EndpointPort
from isoline.objects.gateway_config import GatewayConfigSpec, GatewayTimeouts, GatewayTLS
from isoline.objects.httpproxy import (
    TLS,
    HeaderMatchCondition,
    HTTPDirectResponsePolicy,
    Include,
    MatchCondition,
    Route,
    VirtualHost,
)
from isoline.objects.httpproxy import Service as Reference
from isoline.objects.networking import (
    HTTPIngressPath,
    HTTPIngressRuleValue,
    IngressBackend,
    IngressRule,
    IngressServiceBackend,
    IngressSpec,
    IngressTLS,
    ServiceBackendPort,
)
from isoline.routing.compiler import compile_site
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import HOSTS, INDEXES, hosts_of
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import GATEWAY_CONFIG, settings_from_config
from isoline.routing.update import Update
from isoline.routing.view import IndexRead, Read, View
from unit.routing.support import proxy, secret, service

SETTINGS_OF = partial(settings_from_config, one_machine=False)
# Few names, so that what is looked for often comes, and what came is often looked for.
NAMES = st.sampled_from(["a", "b"])
NAMESPACES = st.sampled_from(["default", "default", "default", "team"])
FQDNS = st.sampled_from(
    [
        "x.example.com",
        "x.example.com",
        "X.example.com",
        "y.example.com",
        "a.y.example.com",
        "*.example.com",
        "",
        "bad:1",
    ]
)


@st.composite
def metadata(draw: st.DrawFn) -> ObjectMeta:
    created = draw(st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]))
    return ObjectMeta(name=draw(NAMES), namespace=draw(NAMESPACES), creation_timestamp=created)


CONDITIONS = st.lists(
    st.sampled_from(
        [
            MatchCondition(prefix="/p"),
            MatchCondition(prefix="/q/"),
            MatchCondition(header=HeaderMatchCondition(name="h", exact="1")),
            MatchCondition(header=HeaderMatchCondition(name="h", exact="2")),
        ]
    ),
    max_size=2,
).map(tuple)

ROUTES = st.builds(
    Route,
    conditions=CONDITIONS,
    services=st.lists(st.builds(Reference, name=NAMES, port=st.sampled_from([80, 80, 81])), min_size=1, max_size=2).map(
        tuple
    ),
    permit_insecure=st.booleans(),
) | st.builds(Route, conditions=CONDITIONS, direct_response_policy=st.just(HTTPDirectResponsePolicy(status_code=200)))

TLS_PARTS = st.builds(
    TLS,
    secret_name=st.sampled_from(["a", "a", "b", "team/a", ""]),
    minimum_protocol_version=st.sampled_from(["", "1.2", "1.3"]),
)

ROOTS = st.builds(VirtualHost, fqdn=FQDNS, tls=st.none() | TLS_PARTS)

PROXIES = st.builds(
    HTTPProxy,
    metadata=metadata(),
    spec=st.builds(
        HTTPProxySpec,
        virtualhost=st.none() | ROOTS | ROOTS,
        routes=st.lists(ROUTES, min_size=1, max_size=2).map(tuple),
        includes=st.lists(
            st.builds(Include, name=NAMES, namespace=st.sampled_from(["", "team"]), conditions=CONDITIONS), max_size=2
        ).map(tuple),
        ingress_class_name=st.sampled_from(["", "", "", "other"]),
    ),
)

BACKENDS = st.builds(
    lambda name, number: IngressBackend(
        service=IngressServiceBackend(name=name, port=ServiceBackendPort(number=number))
    ),
    NAMES,
    st.sampled_from([80, 80, 81]),
)
PATHS = st.builds(
    HTTPIngressPath,
    path=st.sampled_from(["/", "/p", "/q/", "p"]),
    path_type=st.sampled_from(["Prefix", "Exact", "ImplementationSpecific"]),
    backend=BACKENDS,
)
RULES = st.builds(
    lambda host, paths: IngressRule(host=host, http=HTTPIngressRuleValue(paths=tuple(paths))),
    FQDNS,
    st.lists(PATHS, max_size=2),
)
INGRESSES = st.builds(
    lambda meta, notes, spec: Ingress(metadata=msgspec.structs.replace(meta, annotations=notes), spec=spec),
    metadata(),
    st.sampled_from([{}, {"ingress.kubernetes.io/force-ssl-redirect": "true"}]),
    st.builds(
        IngressSpec,
        rules=st.lists(RULES, max_size=3).map(tuple),
        default_backend=st.none() | BACKENDS,
        tls=st.lists(
            st.builds(
                IngressTLS,
                hosts=st.sampled_from([("x.example.com",), ("*.example.com",), ()]),
                secret_name=st.sampled_from(["a", "b", ""]),
            ),
            max_size=2,
        ).map(tuple),
        ingress_class_name=st.sampled_from([None, None, "other"]),
    ),
)

SERVICES = st.builds(
    lambda meta, port: msgspec.structs.replace(service("x", "x", port), metadata=meta),
    metadata(),
    st.sampled_from([ServicePort(port=80), ServicePort(name="web", port=80), ServicePort(name="web", port=81)]),
)

ENDPOINTS = st.builds(
    Endpoint,
    addresses=st.sampled_from([("10.0.0.1",), ("10.0.0.2",)]),
    conditions=st.builds(EndpointConditions, ready=st.sampled_from([None, True, False])),
)

SLICES = st.builds(
    lambda meta, owner, endpoints, port: EndpointSlice(
        metadata=msgspec.structs.replace(meta, labels={"kubernetes.io/service-name": owner}),
        address_type="IPv4",
        endpoints=tuple(endpoints),
        ports=(port,),
    ),
    metadata(),
    NAMES,
    st.lists(ENDPOINTS, max_size=2),
    st.sampled_from([EndpointPort(port=8000), EndpointPort(name="web", port=8000)]),
)

SECRETS = st.builds(
    lambda meta, good: Secret(metadata=meta, data=secret().data if good else {"tls.crt": SecretValue(b"?")}),
    metadata(),
    st.booleans(),
)

DELEGATIONS = st.builds(
    lambda meta, name, target: TLSCertificateDelegation(
        metadata=meta,
        spec=TLSCertificateDelegationSpec(
            delegations=(CertificateDelegation(secret_name=name, target_namespaces=(target,)),)
        ),
    ),
    metadata(),
    NAMES,
    st.sampled_from(["default", "*", "nobody"]),
)

CONFIGS = st.builds(
    lambda ingress_class, connect, minimum, roots: GatewayConfig(
        metadata=ObjectMeta(name="default"),
        spec=GatewayConfigSpec(
            ingress_class_name=ingress_class,
            timeouts=GatewayTimeouts(connect=connect),
            tls=GatewayTLS(minimum_version=minimum),
            root_namespaces=roots,
        ),
    ),
    st.sampled_from(["", "other"]),
    st.sampled_from(["1s", "2s"]),
    st.sampled_from(["1.2", "1.3"]),
    st.sampled_from([(), ("team",)]),
)

# A world in which everything hangs together. Its objects go and come again, and others come in their places.
BASE = [
    proxy(
        """
        virtualhost: {fqdn: x.example.com, tls: {secretName: a}}
        routes: [{services: [{name: a, port: 80}, {name: b, port: 80}]}]
        includes: [{name: b, conditions: [{prefix: /p}]}, {name: a, namespace: team, conditions: [{prefix: /q}]}]
        """,
        "a",
    ),
    proxy("routes: [{services: [{name: b, port: 80}]}]", "b"),
    proxy("routes: [{services: [{name: a, port: 80}]}]\nincludes: [{name: b, namespace: default}]", "a", "team"),
    proxy(
        """
        virtualhost: {fqdn: '*.example.com', tls: {secretName: default/a}}
        routes: [{services: [{name: a, port: 80}]}]
        """,
        "b",
        "team",
    ),
    *(service(name, namespace) for name in ("a", "b") for namespace in ("default", "team")),
    secret("a"),
    secret("a", "team"),
    TLSCertificateDelegation(
        metadata=ObjectMeta(name="a", namespace="default"),
        spec=TLSCertificateDelegationSpec(
            delegations=(CertificateDelegation(secret_name="a", target_namespaces=("*",)),)
        ),
    ),
    EndpointSlice(
        metadata=ObjectMeta(name="a", namespace="default", labels={"kubernetes.io/service-name": "a"}),
        address_type="IPv4",
        endpoints=(Endpoint(addresses=("10.0.0.1",)),),
        ports=(EndpointPort(port=8000),),
    ),
]

OBJECTS = st.one_of(st.sampled_from(BASE), PROXIES, INGRESSES, SERVICES, SLICES, SECRETS, DELEGATIONS, CONFIGS)
KEYS = st.sampled_from([*(item.key for item in BASE), GATEWAY_CONFIG])
BATCHES = st.tuples(st.lists(OBJECTS, max_size=3), st.lists(KEYS, max_size=2))


def scheduler_of(store: Store) -> Scheduler:
    return Scheduler(
        store,
        settings_of=SETTINGS_OF,
        gateway_of=partial(gateway_from_config, http_port=80, https_port=443),
        # Every certificate has ended, so that none is kept: what is kept does not follow from the present alone.
        clock=lambda: math.inf,
    )


class State:
    """What somebody knows who has heard every update."""

    def __init__(self) -> None:
        self.all = Update()

    def hear(self, update: Update) -> None:
        self.all.add(update)
        for name in ("sites", "endpoints", "certificates", "statuses", "served"):
            _forget_what_is_gone(getattr(self.all, name))


def _forget_what_is_gone(known: dict[Any, Any]) -> None:
    for key in [key for key, value in known.items() if value is None]:
        del known[key]


def fresh(store: Store) -> Update:
    state = State()
    for update in scheduler_of(store).start():
        state.hear(update)
    return state.all


def could_be_touched(store: Store, changes: list[Change], reads_before: dict[str, frozenset[Read]]) -> set[str]:
    """The hosts that had read one of the changes, and those that a changed object claims or claimed."""
    touched: set[Read] = {change.key for change in changes}
    for change in changes:
        for version in (change.old, change.new):
            if version is not None:
                touched |= {IndexRead(index, value) for index, value in store.values_of(version)}
    hosts = {read.value for read in touched if isinstance(read, IndexRead) and read.name == HOSTS}
    return hosts | {host for host, reads in reads_before.items() if reads & touched}


def reads_of(store: Store) -> dict[str, frozenset[Read]]:
    config = store.get(GATEWAY_CONFIG)
    known = SETTINGS_OF(config if isinstance(config, GatewayConfig) else None)
    hosts = {host for kind in ("HTTPProxy", "Ingress") for item in store.of_kind(kind) for host in hosts_of(item)}
    return {host: compile_site(host, View(store, known)).reads for host in hosts}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(batches=st.lists(BATCHES, min_size=1, max_size=8))
def test_incremental_equals_fresh_and_only_readers_are_compiled(
    batches: list[tuple[list[Object], list[Key]]],
) -> None:
    store = Store(INDEXES)
    store.apply(BASE)
    scheduler = scheduler_of(store)
    state = State()
    for update in scheduler.start():
        state.hear(update)
    for put, delete in batches:
        reads_before = reads_of(store)
        changes = store.apply(put, delete)
        allowed = could_be_touched(store, changes, reads_before)
        state.hear(scheduler.apply(changes))
        assert state.all == fresh(store)
        compiled = {item.name for item in scheduler.recompiled if item.kind == "site"}
        assert compiled <= allowed
        assert len(scheduler.recompiled) == len(set(scheduler.recompiled))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(items=st.lists(OBJECTS, max_size=12), chunk=st.integers(1, 4))
def test_what_is_said_does_not_depend_on_the_order_in_which_things_came(items: list[Object], chunk: int) -> None:
    unique = {item.key: item for item in (*BASE, *items)}
    forward, backward = Store(INDEXES), Store(INDEXES)
    forward.apply(unique.values())
    backward.apply(reversed(unique.values()))
    state = State()
    for update in scheduler_of(backward).start(chunk=chunk):
        state.hear(update)
    assert state.all == fresh(forward)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(items=st.lists(OBJECTS, max_size=12))
def test_when_everything_goes_nothing_is_kept(items: list[Object]) -> None:
    store = Store(INDEXES)
    store.apply(BASE)
    store.apply(items)
    scheduler = scheduler_of(store)
    state = State()
    for update in scheduler.start():
        state.hear(update)
    state.hear(scheduler.apply(store.apply(delete=[item.key for item in (*BASE, *items)])))
    assert Update(gateway=state.all.gateway) == state.all
    assert scheduler._dependencies.units() == set()
    assert not scheduler._dependencies._readers
    assert not scheduler._leaves._users
    assert not scheduler._leaves._digests
    assert not scheduler._sites
    assert not scheduler._ledger._said
    assert not scheduler._ledger._told
