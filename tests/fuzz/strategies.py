"""Manifests from the shapes of the typed objects, the same that the CRDs are made from: tame ones and wild ones."""

import base64
from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from fuzz import words
from fuzz.world import CONTENTS
from isoline.objects import ExtensionService, HTTPProxy, Ingress, TLSCertificateDelegation, TrafficPolicy
from isoline.objects import shapes as of
from isoline.objects.httpproxy import VirtualHost

Manifest = dict[str, Any]
Strategy = st.SearchStrategy[Any]

_MOST_FIELDS = 4
_ONE_OF = {
    "Route": ("services", "services", "services", "requestRedirectPolicy", "directResponsePolicy"),
    "MatchCondition": ("prefix", "prefix", "exact", "regex", "header", "queryParameter"),
    "HeaderMatchCondition": ("present", "notpresent", "contains", "notcontains", "exact", "notexact", "regex"),
    "QueryParameterMatchCondition": ("exact", "prefix", "suffix", "regex", "contains", "present"),
    "RateLimitDescriptorEntry": ("genericKey", "requestHeader", "requestHeaderValueMatch", "remoteAddress"),
    "RequestHashPolicy": ("headerHashOptions", "queryParameterHashOptions", "hashSourceIP"),
    "JWTProvider": ("remoteJWKS", "localJWKS", "localJWKS"),
    "HTTPAuthorizationServerAllowedHeaders": ("exact", "prefix", "suffix", "contains"),
    "TCPProxy": ("services", "services", "include"),
    "ServiceBackendPort": ("number", "number", "name"),
}
"""Of these fields a tame object has one."""
_ALWAYS = {
    "Service": ("port",),
    "VirtualHost": ("fqdn",),
    "TLS": ("secretName",),
    "AuthorizationServer": ("extensionRef",),
    "ExtensionServiceReference": ("name",),
    "ExtensionServiceTarget": ("port",),
    "HTTPProxySpec": ("routes",),
    "HealthCheckPolicy": ("path",),
    "RateLimitDescriptor": ("entries",),
    "IngressBackend": ("service",),
    "IngressServiceBackend": ("port",),
    "IngressSpec": ("rules",),
    "IngressRule": ("http",),
}
_RARELY = {"DownstreamValidation", "TCPProxy", "IPFilterPolicy"}
"""What keeps everybody out, or stands alone."""


def _scalar(shape: of.Scalar, field: str, *, wild: bool) -> Strategy:
    if shape.choices and not wild:
        return st.sampled_from(shape.choices)
    match shape.kind:
        case "boolean":
            return st.booleans()
        case "integer" | "number":
            tame: Strategy = st.sampled_from(words.FITTING_NUMBERS.get(field, words.NUMBERS))
            return _mostly(tame, st.sampled_from(words.HOSTILE_NUMBERS)) if wild else tame
    fitting = words.FITTING.get(field) or words.OF_FORMATS.get(shape.format) or ("one", "two")
    tame = st.sampled_from(fitting)
    return _mostly(tame, st.sampled_from(words.HOSTILE) | st.text(max_size=5)) if wild else tame


def _mostly(tame: Strategy, hostile: Strategy) -> Strategy:
    """One bad value hides what comes after it, so a wild object has few."""
    return st.integers(0, 9).flatmap(lambda lot: hostile if lot == 0 else tame)


def _value(shape: of.Shape, field: str, *, wild: bool) -> Strategy:
    match shape:
        case of.Scalar():
            return _scalar(shape, field, wild=wild)
        case of.Record(type=kind):
            return record(kind, wild=wild)
        case of.Sequence(item=item, fewest=fewest):
            return st.lists(_value(item, field, wild=wild), min_size=0 if wild else max(1, fewest), max_size=2)
        case of.Mapping(value=value):
            names = st.sampled_from(("one", "two", *(words.HOSTILE if wild else ())))
            return st.dictionaries(names, _value(value, field, wild=wild), max_size=2)
        case of.OneOf(options=options):
            return st.one_of([_value(option, field, wild=wild) for option in options])
    return st.sampled_from(("one", 1, None))


def _deferred(shape: of.Shape, field: str, *, wild: bool) -> Strategy:
    """Types may hold themselves."""
    return st.deferred(lambda: _value(shape, field, wild=wild))


@cache
def record(kind: type[Struct], *, wild: bool) -> Strategy:
    """A plain object of this type; a wild one may have values that it must not have, and too many or few fields."""
    fields = {name: each for name, each in of.record_shape(kind).fields.items() if name != "status"}
    values = {name: _deferred(each.shape, f"{kind.__name__}.{name}", wild=wild) for name, each in fields.items()}
    given = {name for name, each in fields.items() if each.required} | set(_ALWAYS.get(kind.__name__, ()))
    several = _ONE_OF.get(kind.__name__, ())
    often = [name for name, each in fields.items() if name not in given and not (several and name in several)]
    often = [name for name in often if not _is_rare(fields[name].shape)] * 3 + often

    @st.composite
    def build(draw: st.DrawFn) -> Manifest:
        chosen = set(given)
        if several:
            chosen.add(draw(st.sampled_from(several)))
        if often:
            chosen.update(draw(st.lists(st.sampled_from(often), max_size=_MOST_FIELDS)))
        if wild and fields and draw(st.integers(0, 9)) == 9:
            chosen ^= {draw(st.sampled_from(sorted(fields)))}
        return {name: draw(values[name]) for name in fields if name in chosen}

    return build()


def _is_rare(shape: of.Shape) -> bool:
    inner = shape.item if isinstance(shape, of.Sequence) else shape
    return isinstance(inner, of.Record) and inner.type.__name__ in _RARELY


@st.composite
def objects_of(draw: st.DrawFn, kind: type[Struct], api_version: str, names: tuple[str, ...]) -> Manifest:
    """Objects of a kind that has a spec."""
    metadata = {
        "name": draw(st.sampled_from(names)),
        "namespace": draw(st.sampled_from(words.NAMESPACES)),
        "creationTimestamp": f"2026-01-{draw(st.integers(1, 9)):02}T00:00:00Z",
    }
    spec = of.record_shape(kind).fields["spec"].shape
    assert isinstance(spec, of.Record)
    wild = draw(st.integers(0, 2)) > 0
    manifest = {
        "apiVersion": api_version,
        "kind": kind.__name__,
        "metadata": metadata,
        "spec": draw(record(spec.type, wild=wild)),
    }
    if kind is HTTPProxy and "virtualhost" not in manifest["spec"] and draw(st.integers(0, 3)):
        manifest["spec"]["virtualhost"] = draw(record(VirtualHost, wild=wild))
    return manifest


PROXIES = objects_of(HTTPProxy, "projectcontour.io/v1", words.NAMES)
"""HTTPProxies, tame and wild."""


@st.composite
def _secrets(draw: st.DrawFn) -> Manifest:
    name = draw(st.sampled_from(("tls", "other", "ca", "crl", "jwks", "opaque")))
    fitting = CONTENTS[name]
    data = {
        key: draw(st.sampled_from((value, value, value, b"", b"?", value[: len(value) // 2], value + b"\0")))
        for key, value in draw(st.sampled_from((fitting, fitting, fitting, *CONTENTS.values()))).items()
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": draw(st.sampled_from(words.NAMESPACES))},
        "type": draw(st.sampled_from(("Opaque", "kubernetes.io/tls", "else"))),
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


_NOTES = (
    "projectcontour.io/upstream-protocol.tls",
    "projectcontour.io/upstream-protocol.h2",
    "projectcontour.io/upstream-protocol.h2c",
    "projectcontour.io/max-connections",
    "projectcontour.io/max-requests",
    "projectcontour.io/per-host-max-connections",
)


@st.composite
def _services(draw: st.DrawFn) -> Manifest:
    note = st.sampled_from(("80", "http", "0", "-1", "4294967296", "", "\0"))
    spec: Manifest = {
        "ports": [
            {
                "name": draw(st.sampled_from(("", "http"))),
                "port": draw(st.sampled_from((80, 80, 81))),
                "protocol": draw(st.sampled_from(("TCP", "TCP", "UDP"))),
                "appProtocol": draw(st.sampled_from(("", "kubernetes.io/h2c", "https", "x/y"))),
            }
        ]
    }
    if draw(st.integers(0, 4)) == 0:
        names = ("app.example.", "127.0.0.1", "localhost", "a b", "ü", "", "outside.example", "x" * 300)
        spec |= {"type": "ExternalName", "externalName": draw(st.sampled_from(names))}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": draw(st.sampled_from(("app", "other", "outside"))),
            "namespace": draw(st.sampled_from(words.NAMESPACES)),
            "annotations": draw(st.dictionaries(st.sampled_from(_NOTES), note, max_size=2)),
        },
        "spec": spec,
    }


_OTHERS = st.one_of(
    _secrets(),
    _services(),
    objects_of(TLSCertificateDelegation, "projectcontour.io/v1", ("one", "two")),
    objects_of(ExtensionService, "projectcontour.io/v1alpha1", ("asked", "asked-by-http")),
    objects_of(TrafficPolicy, "isoline.dev/v1alpha1", ("one", "two")),
    objects_of(Ingress, "networking.k8s.io/v1", words.NAMES),
)
MUTATIONS = st.lists(st.tuples(_OTHERS, st.integers(0, 5).map(lambda lot: lot == 0)), max_size=2)
"""Objects that come, and whether they go again instead."""
