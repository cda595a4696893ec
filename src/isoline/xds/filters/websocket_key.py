"""A WebSocket inside HTTP/2 (RFC 8441) has no `Sec-WebSocket-Key`; an app that speaks HTTP/1.1 refuses it without one.

The key proves to the client that no cache answered. Over HTTP/2 the client neither sends it nor looks at the answer,
so any will do. Where upgrades have filters apart, those are chosen before the host of a wildcard on plain HTTP is
found: there, and only there, such a WebSocket gets no key.
"""

from typing import Any

from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.xds.filters import skipping
from isoline.xds.filters.place import Place
from isoline.xds.messages import header_option

NAME = "isoline.websocket_key"

_ANY_16_BYTES = "aXNvbGluZS1nYXRld2F5IQ=="


def applies(place: Place) -> bool:
    return not place.upgrades_apart


def http_filter(_place: Place) -> Any:
    config = header_mutation_pb2.HeaderMutation()
    config.mutations.request_mutations.add().append.CopyFrom(
        header_option("sec-websocket-key", _ANY_16_BYTES, keep=True)
    )
    needless = skipping.negated(skipping.matches("upgrade", "(?i)websocket"))
    return hcm.HttpFilter(name=NAME, typed_config=skipping.skipped_if(needless, NAME, config))
