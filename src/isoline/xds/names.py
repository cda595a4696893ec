"""How the resources are named, and the header by which a request finds its site.

A scope's key, its name and the name of its routes are one string: `https/app.example.com`. The port of a Host comes
after a colon, which is where Envoy cuts the key.
"""

from typing import Literal

Scheme = Literal["http", "https", "fallback"]
"""`fallback`: HTTPS whose handshake named no known host, so that the site is found by the Host."""

SCOPE_HEADER = "x-isoline-scope"
"""Set by the listener before anything reads it, whatever the client sent; never goes upstream."""

REDIRECT_ROUTES = "redirect-to-https"
NOT_FOUND_ROUTES = "not-found"
NOT_FOUND_ROUTE = "not-found"
MISDIRECTED_ROUTE = "misdirected"

HTTP_LISTENER = "http"
HTTPS_LISTENER = "https"
HTTP3_LISTENER = "http3"

_LONGEST_SERVER_NAME = 255


def scope(scheme: Scheme, host: str) -> str:
    """The name of what is served for `host`, a lower-case name or a wildcard, on `scheme`."""
    return f"{scheme}/{host}"


def ahead(routes: str) -> str:
    """The name of a scope that no request has, by the name of its routes."""
    return f"ahead/{routes}"


def clients(digest: str) -> str:
    """The name of what client certificates are checked with, by the hash of where that comes from.

    Longer than a server name can be: a handshake that names it would be given it in place of a certificate.
    """
    return f"clients/{digest}/".ljust(_LONGEST_SERVER_NAME + 1, "-")


def tunnel(host: str) -> str:
    """The name of where a host's connections are handed on to."""
    return f"tunnel/{host}"


def login(digest: str) -> str:
    """The name of a secret of logins, by its hash. As long, for the same reason."""
    return f"login/{digest}/".ljust(_LONGEST_SERVER_NAME + 1, "-")
