"""Paths that two readers take for two are refused with 400, on HTTPS, where a server name is in lower case already.

The same as the half of `scope_case` that is about paths, which says why; but a script costs every filter chain an
interpreter a thread, some 200 KiB, and there may be thousands.
"""

from typing import Any

from envoy.extensions.filters.http.fault.v3 import fault_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from envoy.type.v3 import percent_pb2

from isoline.xds.filters import skipping
from isoline.xds.filters.place import Place

NAME = "isoline.path_parameters"

_SEGMENT_OF_DOTS = r"[^?]*/\.?\.?(?:;|%3[bB]).*"


def applies(place: Place) -> bool:
    return place.scheme == "https"


def http_filter(_place: Place) -> Any:
    refused = fault_pb2.HTTPFault()
    refused.abort.http_status = 400
    refused.abort.percentage.CopyFrom(percent_pb2.FractionalPercent(numerator=100))
    # Looked for first, as it is faster than the expression.
    semicolon = skipping.either(skipping.contains(":path", ";"), skipping.contains(":path", "%3"))
    needed = skipping.both(semicolon, skipping.matches(":path", _SEGMENT_OF_DOTS))
    return hcm.HttpFilter(name=NAME, typed_config=skipping.skipped_if(skipping.negated(needed), NAME, refused))
