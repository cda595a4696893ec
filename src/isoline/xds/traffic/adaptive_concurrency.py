"""As many requests at a time as the app takes without getting slower."""

from typing import Any

from envoy.extensions.filters.http.adaptive_concurrency.v3 import adaptive_concurrency_pb2

from isoline.routing import ir
from isoline.xds.messages import duration, packed

NAME = "isoline.adaptive_concurrency"


def configuration(traffic: ir.Traffic) -> Any | None:
    source = traffic.adaptive_concurrency
    if source is None:
        return None
    message = adaptive_concurrency_pb2.AdaptiveConcurrency()
    message.enabled.default_value.value = True
    controller = message.gradient_controller_config
    controller.sample_aggregate_percentile.value = source.percentile
    limit = controller.concurrency_limit_params
    limit.max_concurrency_limit.value = source.maximum
    limit.concurrency_update_interval.CopyFrom(duration(source.update_interval))
    quickest = controller.min_rtt_calc_params
    quickest.interval.CopyFrom(duration(source.measure_interval))
    quickest.request_count.value = source.samples
    quickest.min_concurrency.value = source.minimum
    return packed(message)
