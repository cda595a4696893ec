"""GET / and the files of the page."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB = Path(__file__).parent.parent / "web"

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none';"
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
    app.mount("/web", _PageFiles(directory=WEB), name="web")
    app.add_route("/", _index, methods=["GET", "HEAD"], include_in_schema=False)


async def _index(_request: object) -> Response:
    return FileResponse(WEB / "index.html", headers=SECURITY_HEADERS, media_type="text/html")
