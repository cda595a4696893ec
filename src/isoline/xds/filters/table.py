"""The order of the HTTP filters: a request passes them from top to bottom, an answer from bottom to top."""

from typing import Any

from isoline.routing import ir
from isoline.xds.filters import (
    addresses,
    authorization,
    coalescing,
    cookies,
    cors,
    global_limits,
    guards,
    local_limits,
    path_parameters,
    router,
    scope_case,
    site_filters,
    websocket_key,
    wildcard,
    wildcard_fallback,
    wildcard_tls,
)
from isoline.xds.filters.place import HttpFilter, Place

TABLE: tuple[HttpFilter, ...] = (
    # The site is found first, for every filter below may be configured by its routes.
    scope_case,
    path_parameters,
    # Before the wildcard is tried: another exact site on this connection must not be taken for it.
    coalescing,
    wildcard_tls,
    wildcard,
    wildcard_fallback,
    # Who may not come costs nothing more.
    addresses,
    cors,
    local_limits,
    # Tokens before servers: who is asked about a request has less to do. Both come after what answers preflights.
    guards,
    authorization,
    # May go by what the server said.
    global_limits,
    # What some sites ask for and others do not.
    site_filters,
    cookies,
    # What only the app is to see comes last.
    websocket_key,
    # Ends the chain.
    router,
)

_WHEN_USED = (wildcard, cors, local_limits, cookies)
"""What stands only once a site has asked for it: each filter costs every request. None of them keeps anybody away, for
a connection that was open before goes on through the chain that it came by."""


def used_by(site: ir.Site) -> frozenset[str]:
    """The names of the filters that a site needs, of those that do not always stand."""
    return frozenset(each.NAME for each in _WHEN_USED if each.wanted_by(site))


def http_filters(place: Place) -> list[Any]:
    """The filters of one chain, in order."""
    return [each.http_filter(place) for each in TABLE if each.applies(place)]
