"""Where the studio is for its clients, when a gateway in front takes a prefix off the path."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

HEADER = "x-forwarded-prefix"
PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/?")


def path_of(scope: MutableMapping[str, Any]) -> str:
    """A request's path as the routes know it, without the prefix."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def behind(app: ASGIApp, *, trusted: Iterable[str]) -> ASGIApp:
    """`app`, which sees the client's address, scheme and prefix as the `trusted` addresses and networks tell them.

    X-Forwarded-For, -Proto and -Prefix of anybody else are as if they had not been sent.
    """
    trusted = list(trusted)
    forwarded: Any = ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type]
    return _Prefix(forwarded, trusted=trusted)


class _Prefix:
    """Makes X-Forwarded-Prefix the ASGI root_path, of which frameworks build links."""

    def __init__(self, app: ASGIApp, *, trusted: Iterable[str]) -> None:
        self._app = app
        self._all = "*" in trusted
        self._networks = [ipaddress.ip_network(each) for each in trusted if each != "*"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (prefix := Headers(scope=scope).get(HEADER)) is not None:
            if self._trusts(scope) and PREFIX.fullmatch(prefix):
                scope = _below(scope, prefix.rstrip("/"))
            else:
                headers = [(name, value) for name, value in scope["headers"] if name != HEADER.encode()]
                scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)

    def _trusts(self, scope: Scope) -> bool:
        if self._all or scope.get("client") is None:
            return self._all
        try:
            address = ipaddress.ip_address(scope["client"][0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _below(scope: Scope, prefix: str) -> Scope:
    """ASGI has the prefix in both `root_path` and `path`."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    return {**scope, "root_path": prefix, "path": prefix + scope["path"], "raw_path": prefix.encode() + raw}
