"""GET / and the files of the page."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB = Path(__file__).parent.parent / "web"

BASE = '<base href="./" />'
"""What the page says as long as no prefix is known; replaced when one is."""
PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/?")

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; media-src blob:; base-uri 'self'; form-action 'none';"
    " frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The files carry no version in their names, so a browser asks each time; an unchanged file costs a 304.
    "Cache-Control": "no-cache",
}


class _PageFiles(StaticFiles):
    """Static files with the page's security headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(SECURITY_HEADERS)
        if path.endswith(".js"):
            # The process's table of types is the machine's, and libraries change it.
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response


def install(app: Starlette) -> None:
    """Serve the page at / and its files under /web/."""
    app.mount("/web", GZipMiddleware(_PageFiles(directory=WEB)), name="web")
    compressed = [Middleware(GZipMiddleware)]
    app.router.routes.append(
        Route("/", _index, methods=["GET", "HEAD"], include_in_schema=False, middleware=compressed)
    )


async def _index(request: Request) -> Response:
    """The page; behind a gateway that takes a prefix off the path, with the prefix put back on what it links to.

    Without, a page at `/studio` would look for its files at `/web`.
    """
    page = (await asyncio.to_thread((WEB / "index.html").read_text, "utf-8")).replace(BASE, base_of(request))
    return HTMLResponse(page, headers={**SECURITY_HEADERS, "Vary": "X-Forwarded-Prefix"})


def base_of(request: Request) -> str:
    """The element from which a page's links start."""
    prefix = request.headers.get("x-forwarded-prefix") or str(request.scope.get("root_path") or "")
    # A client can send the header as well: what is no plain path is not written into the page.
    return f'<base href="{prefix.rstrip("/")}/" />' if PREFIX.fullmatch(prefix) else BASE
