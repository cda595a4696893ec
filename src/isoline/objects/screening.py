"""A quick look for what msgspec does not complain of: unknown fields, and strings that break their format.

10 000 objects must be looked at in a fraction of a second, so each type gets a function of its own, made once. What
it finds suspicious is looked at again, slowly, by `checking`, which says what and where.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from isoline.objects.formats import FORMATS
from isoline.objects.shapes import Mapping, OneOf, Record, Scalar, Sequence, Shape, record_fields, record_shape

Screen = Callable[[Any], bool]


@cache
def screen(record: type[msgspec.Struct]) -> Screen:
    """Return a function that says whether a mapping needs the slow look. Recursion is bounded by the value's depth."""
    ignored = record_shape(record).ignored
    known: dict[str, Screen | None] = dict.fromkeys(ignored)
    known |= {name: None if name == "status" else _screen(f.shape) for name, f in record_fields(record).items()}

    def suspicious(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for name, item in value.items():
            look = known.get(name, _yes)
            if look is not None and look(item):
                return True
        return False

    return suspicious


def _screen(shape: Shape) -> Screen | None:
    match shape:
        case Record(type=record):
            return screen(record)
        case Sequence(item=item):
            look = _screen(item)
            return None if look is None else _any_item(look)
        case Mapping(value=inner):
            look = _screen(inner)
            return None if look is None else _any_value(look)
        case Scalar(format=name) if name:
            return lambda value: type(value) is str and not _fits(name, value)
        case OneOf(options=options):
            looks = [look for look in map(_screen, options) if look is not None]
            return (lambda value: any(look(value) for look in looks)) if looks else None
    return None


def _any_item(look: Screen) -> Screen:
    return lambda value: type(value) is list and any(map(look, value))


def _any_value(look: Screen) -> Screen:
    return lambda value: type(value) is dict and any(map(look, value.values()))


def _yes(_: Any) -> bool:
    return True


def _fits(name: str, value: str) -> bool:
    try:
        FORMATS[name].check(value)
    except ValueError:
        return False
    return True
