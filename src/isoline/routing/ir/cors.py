"""What other sites' pages may ask of a site."""

from isoline.routing.ir.base import IR


class Origin(IR, frozen=True, kw_only=True):
    """One or several origins whose pages may ask."""

    value: str
    """`scheme://host[:port]` in any case, `*` for all, or an expression, RE2, that the whole origin matches."""
    regex: bool = False


class Cors(IR, frozen=True, kw_only=True):
    """Cross-origin resource sharing (the Fetch standard, section 3.2): who may ask and what of the answer is seen."""

    origins: tuple[Origin, ...]
    methods: tuple[str, ...]
    """One of them may be `*`: any."""
    request_headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds for which a browser may remember the permission; 0: it asks every time. None: the browser's default."""
    credentials: bool = False
    private_network: bool = False
