"""Kubernetes quantities: `500m`, `2`, `16Gi`, `1e3`."""

import re
from decimal import Decimal

_SUFFIXES = {"": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_SUFFIXES |= {suffix: Decimal(1000) ** (power + 1) for power, suffix in enumerate("kMGTPE")}
_SUFFIXES |= {f"{suffix}i": Decimal(1024) ** (power + 1) for power, suffix in enumerate("KMGTPE")}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?")


def parse_quantity(text: str | float) -> float:
    """Return the number that a Kubernetes quantity means: cores for cpu, bytes for memory and storage.

    A bare YAML number is accepted, as Kubernetes does. Raises ValueError with what is wrong and an example.
    """
    match = _QUANTITY.fullmatch(str(text))
    if match is None:
        raise ValueError(_complaint(str(text)))
    number, exponent, suffix = match.groups()
    return float(Decimal(number + (exponent or "")) * _SUFFIXES[suffix or ""])


def _complaint(text: str) -> str:
    general = f'"{text}" is no quantity; write a number with an optional suffix, such as "500m", "2" or "16Gi"'
    number = re.match(r"[+-]?[\d.]+", text)
    if number is None:
        return general
    unit = text[number.end() :].strip()
    meant = {"KB": "k", "KIB": "Ki", "KI": "Ki", "K": "k"}.get(unit.upper()) or unit[:1].upper() + "i" * (
        "i" in unit.lower()
    )
    return f'{general}; did you mean "{number[0]}{meant}"?' if unit and meant in _SUFFIXES else general
