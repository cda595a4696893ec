"""Buckets of requests: for everybody, for each address, for each value of a header.

Every limit has a descriptor of its own, and Envoy makes the buckets of addresses and values as they come.
"""

from typing import Any

from envoy.config.route.v3 import route_components_pb2 as components
from envoy.extensions.common.ratelimit.v3 import ratelimit_pb2
from envoy.extensions.filters.http.local_ratelimit.v3 import local_rate_limit_pb2

from isoline.routing import ir
from isoline.xds.messages import duration, packed

NAME = "isoline.rate_limits"

_STATISTICS = "sites"
_ALWAYS = 100
_MOST_BUCKETS = 10_000
"""Of one limit; the one that was not asked for longest goes first."""
_UNLIMITED = 2**32 - 1
_IPV6_NETWORK = 64
"""A client of IPv6 has a network of addresses to choose from."""
_IPV4_ADDRESS = 32


def configuration(traffic: ir.Traffic) -> Any | None:
    if not traffic.rate_limits:
        return None
    message = local_rate_limit_pb2.LocalRateLimit(stat_prefix=_STATISTICS)
    message.filter_enabled.default_value.numerator = _ALWAYS
    message.filter_enforced.default_value.numerator = _ALWAYS
    # Envoy insists on a bucket for whatever matches no descriptor.
    message.token_bucket.max_tokens = _UNLIMITED
    message.token_bucket.fill_interval.CopyFrom(duration(1))
    message.always_consume_default_token_bucket.value = False
    message.max_dynamic_descriptors.value = _MOST_BUCKETS
    message.enable_x_ratelimit_headers = ratelimit_pb2.DRAFT_VERSION_03
    for position, limit in enumerate(traffic.rate_limits):
        _add(message, limit, str(position))
    return packed(message)


def _add(message: Any, limit: ir.RateLimit, name: str) -> None:
    match limit.by:
        case "all":
            _add_bucket(message, limit, name)
        case "address":
            _add_address(_add_bucket(message, limit, name, "masked_remote_address"))
        case "header":
            action = _add_bucket(message, limit, name, limit.header).actions.add().request_headers
            action.header_name = action.descriptor_key = limit.header
            # Without the header a request is counted by address: to leave it out must be no way around.
            absent = _add_bucket(message, limit, f"{name}-absent", "header_match=absent", "masked_remote_address")
            match = absent.actions.add().header_value_match
            match.descriptor_value = "absent"
            match.expect_match.value = False
            match.headers.add(name=limit.header, present_match=True)
            _add_address(absent)


def _add_bucket(message: Any, limit: ir.RateLimit, name: str, *keys: str) -> components.RateLimit:
    """The descriptor `limit=<name>` with these further keys, of any value unless they say which."""
    descriptor = ratelimit_pb2.LocalRateLimitDescriptor()
    descriptor.entries.add(key="limit", value=name)
    for each in keys:
        key, _, value = each.partition("=")
        descriptor.entries.add(key=key, value=value)
    descriptor.token_bucket.max_tokens = limit.requests + limit.burst
    descriptor.token_bucket.tokens_per_fill.value = limit.requests
    descriptor.token_bucket.fill_interval.CopyFrom(duration(limit.interval))
    message.descriptors.append(descriptor)
    found = message.rate_limits.add()
    generic = found.actions.add().generic_key
    generic.descriptor_key, generic.descriptor_value = "limit", name
    return found


def _add_address(limit: components.RateLimit) -> None:
    address = limit.actions.add().masked_remote_address
    address.v4_prefix_mask_len.value = _IPV4_ADDRESS
    address.v6_prefix_mask_len.value = _IPV6_NETWORK
