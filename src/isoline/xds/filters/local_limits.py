"""How many requests may come, by what this Envoy itself has seen.

It stands with nothing to say once a site has limits; a virtual host or a route brings its bucket. A bucket lives as
long as its site's routes: whatever changes elsewhere does not fill it.
"""

from typing import Any

from envoy.extensions.filters.http.local_ratelimit.v3 import local_rate_limit_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds.filters.place import Place
from isoline.xds.messages import duration, header_option, packed

NAME = "isoline.local_limits"

_STATISTICS = "sites"
_ALWAYS = 100


def applies(place: Place) -> bool:
    return NAME in place.used


def wanted_by(site: ir.Site) -> bool:
    """Whether a site needs the filter."""
    return site.local_limit is not None or any(route.local_limit is not None for route in (*site.http, *site.https))


def http_filter(_place: Place) -> Any:
    silent = local_rate_limit_pb2.LocalRateLimit(stat_prefix=_STATISTICS)
    return hcm.HttpFilter(name=NAME, typed_config=packed(silent))


def per_route(source: ir.LocalLimit) -> any_pb2.Any:
    """What a route or a virtual host says."""
    message = local_rate_limit_pb2.LocalRateLimit(stat_prefix=_STATISTICS)
    message.status.code = source.status
    message.token_bucket.max_tokens = source.requests + source.burst
    message.token_bucket.tokens_per_fill.value = source.requests
    message.token_bucket.fill_interval.CopyFrom(duration(source.interval))
    message.filter_enabled.default_value.numerator = _ALWAYS
    message.filter_enforced.default_value.numerator = _ALWAYS
    message.response_headers_to_add.extend(header_option(each.name, each.value) for each in source.response_headers)
    return packed(message)
