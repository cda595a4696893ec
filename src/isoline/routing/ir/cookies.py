"""What is changed about the cookies that an app sets."""

from typing import Literal

from isoline.routing.ir.base import IR


class CookieRewrite(IR, frozen=True, kw_only=True):
    """New attributes of one cookie, by its name; None leaves an attribute as the app wrote it."""

    name: str
    path: str | None = None
    domain: str | None = None
    secure: bool | None = None
    """False takes the attribute away."""
    same_site: Literal["Strict", "Lax", "None"] | None = None
