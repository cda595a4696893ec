"""Endpoints that are left out for a while because of how they fared."""

from functools import lru_cache

from envoy.config.cluster.v3 import outlier_detection_pb2

from isoline.routing import ir
from isoline.xds.messages import duration

_UNREACHABLE_IN_A_ROW = 2
"""One is a connection that an endpoint closed just as a request came."""
_LOOK_EVERY = 2.0
_LONGEST = 30.0


def outlier_detection(source: ir.OutlierDetection) -> outlier_detection_pb2.OutlierDetection:
    """As somebody asked for it: what an endpoint answers counts, and whether it answers."""
    message = outlier_detection_pb2.OutlierDetection(
        interval=duration(source.interval),
        base_ejection_time=duration(source.base_ejection_time),
        max_ejection_time=duration(source.max_ejection_time),
    )
    message.consecutive_5xx.value = source.consecutive_errors
    message.max_ejection_percent.value = source.max_ejection_percent
    # Envoy also ejects what answers less well than its neighbours; only what was asked for counts.
    message.enforcing_success_rate.value = 0
    if source.consecutive_gateway_errors is not None:
        message.consecutive_gateway_failure.value = source.consecutive_gateway_errors
        message.enforcing_consecutive_gateway_failure.value = 100
    return message


@lru_cache(maxsize=1)
def unreachable() -> outlier_detection_pb2.OutlierDetection:
    """Only endpoints that cannot be reached are left out, at once and for seconds, and never the last one.

    For balancing that looks for the endpoint with the fewest requests: a dead one has none. As long as it is there
    everything goes to it, and so does every retry, for to look again finds the same one.
    """
    message = outlier_detection_pb2.OutlierDetection(
        interval=duration(_LOOK_EVERY),
        base_ejection_time=duration(_LOOK_EVERY),
        max_ejection_time=duration(_LONGEST),
        split_external_local_origin_errors=True,
    )
    message.consecutive_local_origin_failure.value = _UNREACHABLE_IN_A_ROW
    message.max_ejection_percent.value = 99
    # What an endpoint answers is its own affair.
    message.enforcing_consecutive_5xx.value = 0
    message.enforcing_success_rate.value = 0
    message.enforcing_local_origin_success_rate.value = 0
    return message
