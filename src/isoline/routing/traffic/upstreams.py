"""Timeouts, retries, outlier detection and session cookies."""

import re
from typing import NamedTuple

import msgspec

from isoline.objects.traffic_policy_upstreams import Hedging, OutlierDetection, Retry, SessionCookie, Timeouts
from isoline.routing import ir
from isoline.routing.httpproxy.retries import CONDITIONS, DEFAULT_CONDITIONS, MAXIMUM_COUNT
from isoline.routing.traffic.durations import seconds
from isoline.routing.traffic.place import Place

_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,255}")
_COOKIE_PATH = re.compile(r"/[\x21-\x3a\x3c-\x7e]*")
_MAXIMUM_INTEGER = 2**32 - 1
_TENFOLD = 10


class RouteTimeouts(NamedTuple):
    """Seconds; None is not said, `ir.NEVER` no limit."""

    request: float | None
    idle: float | None


class Retries(NamedTuple):
    """`own` is for routes that have no retry policy; the rest is for all that retry."""

    own: ir.Retry | None
    backoff: ir.Backoff | None
    avoid_same_host: bool


def compile_timeouts(setting: Timeouts, place: Place) -> RouteTimeouts:
    """Return the timeouts of routes that say none."""
    return RouteTimeouts(
        None if setting.request is None else seconds(setting.request, place.at("request"), never=True),
        None if setting.idle is None else seconds(setting.idle, place.at("idle"), never=True),
    )


def with_timeouts(action: ir.Forward, timeouts: RouteTimeouts) -> ir.Forward:
    """Return the action with what it does not say itself."""
    return msgspec.structs.replace(
        action,
        timeout=timeouts.request if action.timeout is None else action.timeout,
        idle_timeout=timeouts.idle if action.idle_timeout is None else action.idle_timeout,
    )


def compile_retry(setting: Retry, place: Place) -> Retries:
    """Return how requests are tried again."""
    for position, condition in enumerate(setting.retry_on):
        if condition not in CONDITIONS:
            text = f"{condition!r} is none of {', '.join(sorted(CONDITIONS))}"
            raise place.at(f"retryOn[{position}]").invalid(text)
    if setting.count is None and (setting.retry_on or setting.per_try_timeout is not None):
        raise place.at("count").invalid("is needed beside retryOn and perTryTimeout")
    if setting.count is not None and setting.count > MAXIMUM_COUNT:
        raise place.at("count").invalid(f"at most {MAXIMUM_COUNT}")
    per_try = setting.per_try_timeout
    own = None
    if setting.count:
        timeout = None if per_try is None else seconds(per_try, place.at("perTryTimeout"), never=True) or None
        own = ir.Retry(on=setting.retry_on or DEFAULT_CONDITIONS, count=setting.count, per_try_timeout=timeout)
    return Retries(own, _backoff(setting, place.at("backOff")), setting.avoid_same_host)


def _backoff(setting: Retry, place: Place) -> ir.Backoff | None:
    source = setting.back_off
    if source is None:
        return None
    base = seconds(source.base, place.at("base"))
    maximum = base * _TENFOLD if source.max is None else seconds(source.max, place.at("max"))
    if maximum < base:
        raise place.at("max").invalid("is shorter than base")
    return ir.Backoff(base=base, maximum=maximum)


def with_retries(action: ir.Forward, retries: Retries) -> ir.Forward:
    """Return the action; its own retry policy keeps its count, conditions and timeout."""
    retry = action.retry or retries.own
    if retry is None:
        return action
    retry = msgspec.structs.replace(
        retry, backoff=retries.backoff or retry.backoff, avoid_same_host=retries.avoid_same_host
    )
    return msgspec.structs.replace(action, retry=retry)


def compile_hedging(setting: Hedging, place: Place) -> float:
    """Return the seconds after which a second try starts."""
    return seconds(setting.per_try_timeout, place.at("perTryTimeout"))


def with_hedging(action: ir.Forward, per_try_timeout: float) -> ir.Forward:
    """Return the action; one that never repeats a request stays as it is."""
    if action.retry is None:
        return action
    retry = msgspec.structs.replace(action.retry, per_try_timeout=per_try_timeout, hedge=True)
    return msgspec.structs.replace(action, retry=retry)


def compile_outliers(setting: OutlierDetection, place: Place) -> ir.OutlierDetection:
    """Return when endpoints are left out."""
    for name in ("consecutive_errors", "consecutive_gateway_errors"):
        number = getattr(setting, name)
        if number is not None and number > _MAXIMUM_INTEGER:
            raise place.invalid(f"numbers of errors are at most {_MAXIMUM_INTEGER}")
    base = seconds(setting.base_ejection_time, place.at("baseEjectionTime"))
    longest = seconds(setting.max_ejection_time, place.at("maxEjectionTime"))
    if longest < base:
        raise place.at("maxEjectionTime").invalid("is shorter than baseEjectionTime")
    return ir.OutlierDetection(
        consecutive_errors=setting.consecutive_errors,
        consecutive_gateway_errors=setting.consecutive_gateway_errors,
        interval=seconds(setting.interval, place.at("interval")),
        base_ejection_time=base,
        max_ejection_time=longest,
        max_ejection_percent=setting.max_ejection_percent,
    )


def with_outliers(cluster: ir.Cluster, outliers: ir.OutlierDetection) -> ir.Cluster:
    """Return the cluster; its name is given later."""
    return msgspec.structs.replace(cluster, outliers=outliers)


def compile_session_cookie(setting: SessionCookie, place: Place) -> ir.SessionCookie:
    """Return the cookie. Raises Fault for what cannot stand in one."""
    if not _COOKIE_NAME.fullmatch(setting.name):
        raise place.at("name").invalid(f"{setting.name!r} is no name of a cookie")
    if not _COOKIE_PATH.fullmatch(setting.path):
        raise place.at("path").invalid(f"{setting.path!r} cannot be a cookie's path")
    if setting.same_site == "None" and not setting.secure:
        raise place.at("sameSite").invalid("browsers refuse None without secure: true")
    return ir.SessionCookie(
        name=setting.name,
        path=setting.path,
        ttl=None if setting.ttl is None else _whole_seconds(setting.ttl, place.at("ttl")),
        same_site=setting.same_site,
        secure=setting.secure,
        strict=setting.strict,
    )


def _whole_seconds(text: str, place: Place) -> float:
    found = seconds(text, place)
    if found != int(found):
        raise place.invalid(f'"{text}": a cookie lives for whole seconds')
    return found
