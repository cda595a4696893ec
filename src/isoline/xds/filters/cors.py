"""What other sites' pages may ask: answers preflights, and says to browsers who may see the rest.

Before everything that asks who the client is, as a preflight cannot say. Envoy leaves redirects and direct answers
without it.
"""

from typing import Any

from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.type.matcher.v3 import regex_pb2, string_pb2
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds.filters.place import Place
from isoline.xds.messages import packed

NAME = "isoline.cors"


def applies(place: Place) -> bool:
    return NAME in place.used


def wanted_by(site: ir.Site) -> bool:
    """Whether a site needs the filter."""
    return site.cors is not None


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=packed(cors_pb2.Cors()))


def per_host(source: ir.Cors) -> any_pb2.Any:
    """What a virtual host says."""
    message = cors_pb2.CorsPolicy(
        allow_origin_string_match=[_origin(origin) for origin in source.origins],
        allow_methods=",".join(source.methods),
        allow_headers=",".join(source.request_headers),
        expose_headers=",".join(source.exposed_headers),
        max_age="" if source.max_age is None else str(source.max_age),
    )
    message.allow_credentials.value = source.credentials
    message.allow_private_network_access.value = source.private_network
    return packed(message)


def _origin(origin: ir.Origin) -> string_pb2.StringMatcher:
    if origin.regex:
        return string_pb2.StringMatcher(safe_regex=regex_pb2.RegexMatcher(regex=origin.value))
    return string_pb2.StringMatcher(exact=origin.value, ignore_case=True)
