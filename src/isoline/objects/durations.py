"""Durations as Go writes them: `1h30m`, `250ms`, `1.5s`."""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_LARGEST = (2**63 - 1) / 1e9


def parse_go_duration(text: str) -> float:
    """Return the seconds of a Go duration (`time.ParseDuration`): a sign, then numbers with units, or a bare 0.

    Raises ValueError, with what is wrong and an example, for anything else and for what Go cannot hold (292 years).
    """
    unsigned = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    if unsigned == "0":
        return 0.0
    seconds, position = 0.0, 0
    while position < len(unsigned):
        term = _TERM.match(unsigned, position)
        if term is None:
            raise ValueError(_complaint(text, unsigned))
        seconds += float(term[1]) * _UNITS[term[2]]
        position = term.end()
    if position == 0:
        raise ValueError(_complaint(text, unsigned))
    if seconds > _LARGEST:
        raise ValueError(f'"{text}" is longer than a duration can be (about 292 years)')
    return -seconds if text.startswith("-") else seconds


def _complaint(text: str, unsigned: str) -> str:
    if re.fullmatch(r"\d+\.?\d*", unsigned):
        return f'"{text}" is a duration without a unit; write "{text}s" for seconds'
    return f'"{text}" is no duration; write numbers with the units ns, us, ms, s, m or h, such as "30s" or "1h30m"'
