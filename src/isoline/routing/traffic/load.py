"""Compression, bandwidth, and how many requests go through at a time."""

import re

import msgspec

from isoline.objects import parse_quantity
from isoline.objects.traffic_policy_load import (
    AdaptiveConcurrency,
    Bandwidth,
    Compression,
    EndpointConcurrency,
)
from isoline.routing import ir
from isoline.routing.traffic.durations import seconds
from isoline.routing.traffic.place import Place

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_LIVE = ("audio/", "video/")
_EVENTS = "text/event-stream"
_KIBIBYTE = 1024
_MAXIMUM_INTEGER = 2**32 - 1


def compile_compression(setting: Compression, place: Place) -> ir.Compression:
    """Return what is compressed. Raises Fault for what must come as it is made, or gains nothing."""
    if not setting.algorithms:
        raise place.at("algorithms").invalid("must name one")
    if not setting.content_types:
        raise place.at("contentTypes").invalid("must name a media type")
    types = tuple(dict.fromkeys(each.lower() for each in setting.content_types))
    for position, each in enumerate(types):
        here = place.at(f"contentTypes[{position}]")
        if not _MEDIA_TYPE.fullmatch(each):
            raise here.invalid(f"{each!r} is no media type; write one such as text/html, without parameters")
        if each == _EVENTS or each.startswith(_LIVE):
            raise here.invalid(f"{each} is listened to while it is made, and is never compressed")
    minimum = int(parse_quantity(str(setting.min_size)))
    if not 1 <= minimum <= _MAXIMUM_INTEGER:
        raise place.at("minSize").invalid(f"must be between 1 and {_MAXIMUM_INTEGER} bytes, found {setting.min_size}")
    return ir.Compression(encodings=tuple(dict.fromkeys(setting.algorithms)), content_types=types, minimum=minimum)


def compile_bandwidth(setting: Bandwidth, place: Place) -> ir.Bandwidth:
    """Return how much may go through."""
    if setting.requests is None and setting.responses is None:
        raise place.invalid("needs requests or responses")
    return ir.Bandwidth(
        requests=_kibibytes(setting.requests, place.at("requests")),
        responses=_kibibytes(setting.responses, place.at("responses")),
    )


def _kibibytes(quantity: str | int | None, place: Place) -> int | None:
    if quantity is None:
        return None
    found = int(parse_quantity(str(quantity))) // _KIBIBYTE
    if not 1 <= found <= _MAXIMUM_INTEGER:
        raise place.invalid(f"must be between 1Ki and {_MAXIMUM_INTEGER}Ki, found {quantity}")
    return found


def compile_adaptive_concurrency(setting: AdaptiveConcurrency, place: Place) -> ir.AdaptiveConcurrency:
    """Return how the number of requests at a time is found."""
    if setting.max_requests > _MAXIMUM_INTEGER or setting.samples > _MAXIMUM_INTEGER:
        raise place.invalid(f"maxRequests and samples are at most {_MAXIMUM_INTEGER}")
    if setting.min_requests > setting.max_requests:
        raise place.at("minRequests").invalid("is more than maxRequests")
    return ir.AdaptiveConcurrency(
        maximum=setting.max_requests,
        minimum=setting.min_requests,
        percentile=setting.percentile,
        update_interval=seconds(setting.update_interval, place.at("updateInterval")),
        measure_interval=seconds(setting.measure_interval, place.at("measureInterval")),
        samples=setting.samples,
    )


def compile_endpoint_concurrency(setting: EndpointConcurrency, place: Place) -> EndpointConcurrency:
    """Return the setting, once it is found good."""
    for field, number in (("maxRequests", setting.max_requests), ("maxWaiting", setting.max_waiting)):
        if number is not None and number > _MAXIMUM_INTEGER:
            raise place.at(field).invalid(f"at most {_MAXIMUM_INTEGER}")
    return setting


def with_endpoint_concurrency(cluster: ir.Cluster, setting: EndpointConcurrency) -> ir.Cluster:
    """Return the cluster. Where nobody chose otherwise requests go to the endpoint that has fewest."""
    even = cluster.balance is ir.Balance.ROUND_ROBIN
    limits = msgspec.structs.replace(
        cluster.limits,
        requests_per_endpoint=setting.max_requests,
        pending_requests=setting.max_waiting or cluster.limits.pending_requests,
    )
    return msgspec.structs.replace(
        cluster, limits=limits, balance=ir.Balance.LEAST_REQUEST if even else cluster.balance
    )
