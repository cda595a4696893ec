"""What verified tokens say, and must say."""

import re

from isoline.objects.traffic_policy_access import ClaimRule, JWTClaims
from isoline.routing import ir
from isoline.routing.httpproxy import header_names
from isoline.routing.traffic.place import Place

_NAME = re.compile(r"[A-Za-z0-9_@/-]+")


def compile_claims(setting: JWTClaims, place: Place) -> ir.Claims:
    """Return what the app is told, and who may come."""
    headers: list[tuple[tuple[str, ...], str]] = []
    for position, each in enumerate(setting.headers):
        here = place.at(f"headers[{position}]")
        if not header_names.is_name(each.header) or each.header.lower() == "host":
            raise here.at("header").invalid(f"{each.header!r} is no header name that can be set")
        headers.append((_path(each.claim, here), each.header.lower()))
    if not headers and not setting.allow:
        raise place.invalid("needs headers or allow")
    return ir.Claims(
        headers=tuple(headers),
        allow=tuple(_rule(rule, place.at(f"allow[{position}]")) for position, rule in enumerate(setting.allow)),
    )


def _rule(rule: ClaimRule, place: Place) -> tuple[ir.ClaimMatch, ...]:
    if not rule.claims:
        raise place.at("claims").invalid("must name a claim")
    found: list[ir.ClaimMatch] = []
    for position, each in enumerate(rule.claims):
        here = place.at(f"claims[{position}]")
        if not each.values:
            raise here.at("values").invalid("must name a value")
        found.append(ir.ClaimMatch(claim=_path(each.claim, here), values=tuple(dict.fromkeys(each.values))))
    return tuple(found)


def _path(claim: str, place: Place) -> tuple[str, ...]:
    path = tuple(claim.split("."))
    if not all(_NAME.fullmatch(name) for name in path):
        raise place.at("claim").invalid(f"{claim!r} is no name of a claim: letters, digits and _@/-, dots between")
    return path
