"""Limits of requests, and how their paths are rewritten."""

import re
from typing import Literal

import msgspec

from isoline.objects import parse_quantity
from isoline.objects.traffic_policy_requests import PathRewrite, RateLimit, RequestBody, RequestHeaders
from isoline.routing import ir, regexes
from isoline.routing.httpproxy import header_names
from isoline.routing.traffic.place import Place

_MAXIMUM_BYTES = 2**63 - 1
_MAXIMUM_TOKENS = 2**32 - 1
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_KEYS: dict[str, Literal["all", "address", "header"]] = {"All": "all", "ClientIP": "address", "Header": "header"}
_REFERENCE = re.compile(r"\\(.?)", re.DOTALL)


def compile_body(setting: RequestBody, place: Place) -> int:
    """Return the bytes that a body may have."""
    size = _bytes(setting.max_size)
    if not 1 <= size <= _MAXIMUM_BYTES:
        raise place.at("maxSize").invalid(f"must be between 1 and {_MAXIMUM_BYTES} bytes, found {setting.max_size}")
    return size


def compile_headers(setting: RequestHeaders, place: Place) -> ir.HeaderLimits:
    """Return how large the headers may be."""
    if setting.max_size is None and setting.max_count is None:
        raise place.invalid("needs maxSize or maxCount")
    size = None if setting.max_size is None else _bytes(setting.max_size)
    if size is not None and size < 1:
        raise place.at("maxSize").invalid(f"must be at least 1 byte, found {setting.max_size}")
    return ir.HeaderLimits(size=size, count=setting.max_count)


def compile_rate_limits(setting: tuple[RateLimit, ...], place: Place) -> tuple[ir.RateLimit, ...]:
    """Return the limits, each of which holds."""
    return tuple(_rate_limit(limit, place.item(position)) for position, limit in enumerate(setting))


def _rate_limit(limit: RateLimit, place: Place) -> ir.RateLimit:
    if limit.requests + limit.burst > _MAXIMUM_TOKENS:
        raise place.invalid(f"requests and burst together are at most {_MAXIMUM_TOKENS}")
    if (limit.by == "Header") != bool(limit.header):
        raise place.at("header").invalid("is needed with by: Header, and only there")
    if limit.header and (not header_names.is_name(limit.header) or limit.header.startswith(":")):
        raise place.at("header").invalid(f"{limit.header!r} is no header name")
    return ir.RateLimit(
        requests=limit.requests,
        interval=_SECONDS[limit.per],
        burst=limit.burst,
        by=_KEYS[limit.by],
        header=limit.header.lower(),
    )


def compile_rewrite(setting: PathRewrite, place: Place) -> ir.RegexRewrite:
    """Return how the path is rewritten. Raises Fault for what Envoy would refuse."""
    if not setting.regex:
        raise place.at("regex").invalid("must not be empty")
    if problem := regexes.problem(setting.regex):
        raise place.at("regex").invalid(problem)
    if problem := header_names.value_problem(setting.substitution):
        raise place.at("substitution").invalid(problem.replace("a header's value", "a path"))
    groups = regexes.groups(setting.regex)
    for match in _REFERENCE.finditer(setting.substitution):
        if match[1] != "\\" and not (match[1].isascii() and match[1].isdigit() and int(match[1]) <= groups):
            text = f"{match[0]!r} is no group of the expression, which has {groups}; a backslash is written twice"
            raise place.at("substitution").invalid(text)
    return ir.RegexRewrite(pattern=setting.regex, substitution=setting.substitution)


def _bytes(quantity: str | int) -> int:
    return int(parse_quantity(str(quantity)))


def with_rewrite(action: ir.Forward, rewrite: ir.RegexRewrite) -> ir.Forward:
    """Return the action; the prefix that it replaces itself is not replaced any more."""
    return msgspec.structs.replace(action, regex_rewrite=rewrite, prefix_rewrite=None)
