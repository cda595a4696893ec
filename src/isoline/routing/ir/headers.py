"""What is changed about headers."""

from isoline.routing.ir.base import IR


class Header(IR, frozen=True, kw_only=True):
    name: str
    value: str
    """In Envoy's format language: `%` operators are live, a literal percent is `%%`."""


class HeaderEdits(IR, frozen=True, kw_only=True):
    set: tuple[Header, ...] = ()
    remove: tuple[str, ...] = ()
