"""What a site demands before anything of its own sees a request: tokens, and the mark of who is to be asked.

It stands in every chain with nothing in it. What it holds comes with the routes, on the virtual host.
"""

from collections.abc import Sequence
from typing import Any

from envoy.config.core.v3 import substitution_format_string_pb2
from envoy.extensions.filters.common.set_filter_state.v3 import value_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds.filters import authorization, site_filters, tokens
from isoline.xds.filters.place import Place

NAME = "isoline.guards"


def applies(_place: Place) -> bool:
    return True


def http_filter(_place: Place) -> Any:
    return site_filters.empty(NAME)


def per_host(site: ir.Site, routes: Sequence[ir.Route]) -> any_pb2.Any | None:
    """What a site's virtual host with these routes says; None where it demands nothing."""
    filters: list[tuple[str, Any]] = []
    if site.authorization is not None and (mark := authorization.mark_of(site.authorization)):
        filters.append(("isoline.mark", _mark(mark)))
    # Last, for it may wait for keys, and what it waits with is not resumed inside the chain.
    demanded = None
    if site.tokens is not None:
        demanded = tokens.configuration(
            site.tokens,
            routes,
            tell=_claims_count(site, routes),
            has_alternative=lambda route: _has_alternative(site, route),
        )
    if demanded is not None:
        filters.append((tokens.NAME, demanded))
    return site_filters.per_route(filters) if filters else None


def _claims_count(site: ir.Site, routes: Sequence[ir.Route]) -> bool:
    asked = (site.traffic, *(route.traffic for route in routes))
    return any(traffic is not None and (traffic.jwt_claims is not None or traffic.alternatives) for traffic in asked)


def _has_alternative(site: ir.Site, route: ir.Route) -> bool:
    traffic = site.traffic if route.traffic is None else route.traffic
    return traffic is not None and bool(traffic.alternatives)


def _mark(mark: str) -> Any:
    value = value_pb2.FilterStateValue(
        object_key=authorization.MARK,
        factory_key="envoy.string",
        format_string=substitution_format_string_pb2.SubstitutionFormatString(),
    )
    value.format_string.text_format_source.inline_string = mark
    return set_filter_state_pb2.Config(on_request_headers=[value])
