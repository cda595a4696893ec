"""Durations of settings."""

from isoline.objects import parse_go_duration
from isoline.routing import ir
from isoline.routing.httpproxy.timeouts import MAXIMUM_SECONDS
from isoline.routing.traffic.place import Place

_MILLISECOND = 0.001


def seconds(text: str, place: Place, *, never: bool = False) -> float:
    """Return the seconds of a duration that decoding has checked, or `ir.NEVER` where `never` allows that.

    Raises Fault for less than a millisecond, which is how Envoy counts.
    """
    if text == "infinity":
        if never:
            return ir.NEVER
        raise place.invalid("cannot be infinity")
    found = parse_go_duration(text)
    if not _MILLISECOND <= found <= MAXIMUM_SECONDS:
        raise place.invalid(f'"{text}" is out of range: between 1ms and 292 years')
    return found
