"""How many requests may come."""

from typing import Literal

from isoline.routing.ir.base import IR
from isoline.routing.ir.headers import Header
from isoline.routing.ir.matching import HeaderMatch


class LocalLimit(IR, frozen=True, kw_only=True):
    """A bucket of tokens that each data plane keeps for itself; a request takes one."""

    requests: int
    """What comes back to the bucket in an interval."""
    interval: float
    burst: int = 0
    """The bucket holds that many more than `requests`."""
    status: int = 429
    response_headers: tuple[Header, ...] = ()


class LimitKey(IR, frozen=True, kw_only=True):
    """One entry of a descriptor: a key and its value, as the rate-limit service compares them."""

    source: Literal["constant", "header", "header_match", "address"]
    key: str = ""
    value: str = ""
    """Of a constant and of a match."""
    header: str = ""
    """Whose value it is; without that header there is no descriptor."""
    matches: tuple[HeaderMatch, ...] = ()
    expect_match: bool = True


class GlobalLimit(IR, frozen=True, kw_only=True):
    """What the rate-limit service is asked, all at once. One that it limits ends the request with 429."""

    descriptors: tuple[tuple[LimitKey, ...], ...]
    """Empty: it is not asked."""
