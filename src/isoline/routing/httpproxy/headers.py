"""requestHeadersPolicy and responseHeadersPolicy, of routes and of services.

Values are in Envoy's format language afterwards: the variables that HTTPProxy allows stay live, every other percent
sign is doubled.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from isoline.objects.httpproxy import HeadersPolicy, HeaderValue
from isoline.routing import ir, wording
from isoline.routing.httpproxy import header_names
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.statuses import ErrorType

NO_EDITS = ir.HeaderEdits()

# Envoy's operators that HTTPProxy lets through (Contour's documentation, "Dynamic Header Values").
_OPERATORS = (
    "DOWNSTREAM_REMOTE_ADDRESS",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_LOCAL_ADDRESS",
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_LOCAL_PORT",
    "DOWNSTREAM_LOCAL_URI_SAN",
    "DOWNSTREAM_PEER_URI_SAN",
    "DOWNSTREAM_LOCAL_SUBJECT",
    "DOWNSTREAM_PEER_SUBJECT",
    "DOWNSTREAM_PEER_ISSUER",
    "DOWNSTREAM_TLS_SESSION_ID",
    "DOWNSTREAM_TLS_CIPHER",
    "DOWNSTREAM_TLS_VERSION",
    "DOWNSTREAM_PEER_FINGERPRINT_256",
    "DOWNSTREAM_PEER_FINGERPRINT_1",
    "DOWNSTREAM_PEER_SERIAL",
    "DOWNSTREAM_PEER_CERT",
    "DOWNSTREAM_PEER_CERT_V_START",
    "DOWNSTREAM_PEER_CERT_V_END",
    "HOSTNAME",
    "PROTOCOL",
    "UPSTREAM_REMOTE_ADDRESS",
    "RESPONSE_FLAGS",
    "RESPONSE_CODE_DETAILS",
)
_LIVE = re.compile(rf"%(?:({'|'.join(_OPERATORS)}|REQ\([\w-]+\))|(CONTOUR_[A-Z_]+))%|%", re.ASCII)
_HOST_FROM_HEADER = re.compile(r"%REQ\(([A-Za-z0-9-]+)\)%")


def escape(value: str, variables: Mapping[str, str]) -> str:
    """Return a value in Envoy's format language. `variables` are ours, by name without percent signs."""
    if "%" not in value:
        return value

    def replaced(found: re.Match[str]) -> str:
        operator, variable = found.groups()
        if operator:
            return f"%{operator}%"
        if variable:
            own = variables.get(variable)
            return f"%%{variable}%%" if own is None else own.replace("%", "%%")
        return "%%"

    return _LIVE.sub(replaced, value)


class Names(NamedTuple):
    """What a headers policy is called, and how its faults are."""

    field: str
    type: ErrorType
    reason: str

    def fault(self, scope: Scope, text: str, words: str) -> Fault:
        """Return a fault of which Contour says `words`, and in which policy."""
        of = "request" if self.field == "requestHeadersPolicy" else "response"
        return scope.fault(self.type, self.reason, text, words=f"{words} on {of} headers")


ROUTE_REQUEST = Names("requestHeadersPolicy", "RouteError", "RequestHeadersPolicyInvalid")
ROUTE_RESPONSE = Names("responseHeadersPolicy", "RouteError", "ResponseHeaderPolicyInvalid")
SERVICE_REQUEST = Names("requestHeadersPolicy", "ServiceError", "RequestHeadersPolicyInvalid")
SERVICE_RESPONSE = Names("responseHeadersPolicy", "ServiceError", "ResponseHeadersPolicyInvalid")


class Edits(NamedTuple):
    """`host` is what Host was set to, as written; `edits` is all else."""

    edits: ir.HeaderEdits = NO_EDITS
    host: str | None = None


NOTHING = Edits()


def compile_headers(policy: HeadersPolicy | None, names: Names, scope: Scope, *, variables: Mapping[str, str]) -> Edits:
    """Return what a policy does. Raises Fault for duplicates, bad names and values, and a Host that cannot be set."""
    if policy is None:
        return NOTHING
    scope = scope.at(names.field)
    request = names.field == "requestHeadersPolicy"
    host: str | None = None
    headers: dict[str, ir.Header] = {}
    for position, entry in enumerate(policy.set):
        place = scope.at(f"set[{position}]")
        _check(entry, names, place)
        lowered = entry.name.lower()
        if lowered == "host":
            if not request:
                words = 'rewriting "Host" header is not supported'
                raise names.fault(place, "Host can be set on requests only", words)
            if not entry.value:
                raise place.at("value").fault(names.type, names.reason, "Host must not be empty")
            if host is not None:
                place.warn(names.type, "Host is set twice; the last one counts")
            host = entry.value
        elif lowered in headers:
            words = f'duplicate header addition: "{wording.canonical_header(entry.name)}"'
            raise names.fault(place, f"the header {entry.name!r} is set twice", words)
        else:
            headers[lowered] = ir.Header(name=entry.name, value=escape(entry.value, variables))
    removed = _removed(policy.remove, names, scope)
    return Edits(ir.HeaderEdits(set=tuple(headers.values()), remove=removed), host)


def with_defaults(own: Edits, defaults: HeadersPolicy | None, *, variables: Mapping[str, str]) -> Edits:
    """Return the edits with what a GatewayConfig says of headers that they leave alone. Its decoding has checked it."""
    if defaults is None:
        return own
    known = {header.name.lower() for header in own.edits.set}
    removed = {name.lower() for name in own.edits.remove}
    host = own.host
    more: list[ir.Header] = []
    for entry in defaults.set:
        if entry.name.lower() == "host":
            host = host or entry.value
        elif entry.name.lower() not in known:
            more.append(ir.Header(name=entry.name, value=escape(entry.value, variables)))
    gone = tuple(name for name in defaults.remove if name.lower() not in removed)
    return Edits(ir.HeaderEdits(set=(*own.edits.set, *more), remove=(*own.edits.remove, *gone)), host)


def _check(entry: HeaderValue, names: Names, scope: Scope) -> None:
    if not header_names.is_name(entry.name):
        raise names.fault(
            scope, f"{entry.name!r} is no header name", wording.bad_header("invalid set header", entry.name)
        )
    if problem := header_names.value_problem(entry.value):
        raise scope.at("value").fault(names.type, names.reason, problem)


def _removed(entries: tuple[str, ...], names: Names, scope: Scope) -> tuple[str, ...]:
    removed: dict[str, str] = {}
    for position, name in enumerate(entries):
        place = scope.at(f"remove[{position}]")
        if not header_names.is_name(name):
            words = wording.bad_header("invalid remove header", name)
            raise names.fault(place, f"{name!r} is no header name", words)
        if name.lower() in removed:
            words = f'duplicate header removal: "{wording.canonical_header(name)}"'
            raise names.fault(place, f"the header {name!r} is removed twice", words)
        if name.lower() == "host":
            raise place.fault(names.type, names.reason, "Host cannot be removed")
        removed[name.lower()] = name
    return tuple(removed.values())


def header_that_gives_host(value: str) -> str | None:
    """Return the request header whose `%REQ(name)%` is in a Host (Contour's rule), else None: the value is the Host."""
    found = _HOST_FROM_HEADER.search(value)
    return found[1] if found else None
