"""How much goes through in a second. What waits is not held: whoever sends it is told to wait."""

from typing import Any

from envoy.extensions.filters.http.bandwidth_limit.v3 import bandwidth_limit_pb2

from isoline.routing import ir
from isoline.xds.messages import packed

_Limit = bandwidth_limit_pb2.BandwidthLimit


class Requests:
    """The filter of what clients send."""

    NAME = "isoline.request_bandwidth"

    @staticmethod
    def configuration(traffic: ir.Traffic) -> Any | None:
        return _limit(_Limit.REQUEST, None if traffic.bandwidth is None else traffic.bandwidth.requests)


class Responses:
    """The filter of what they get. What it lets go is not seen by filters above it: it stands above all that look."""

    NAME = "isoline.response_bandwidth"

    @staticmethod
    def configuration(traffic: ir.Traffic) -> Any | None:
        return _limit(_Limit.RESPONSE, None if traffic.bandwidth is None else traffic.bandwidth.responses)


def _limit(direction: Any, limit: int | None) -> Any | None:
    if limit is None:
        return None
    message = _Limit(stat_prefix="sites", enable_mode=direction)
    message.limit_kbps.value = limit
    return packed(message)
