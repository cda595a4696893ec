"""Serves the Gradio page from the studio's own port, and loads Gradio when somebody first asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Receive, Scope, Send

from isoline_voice.api.forwarded import path_of
from isoline_voice.api.studio import Studio

PATH = "/gradio"
LOOK_SECONDS = 0.25
"""How often the page looks whether the studio is about to stop."""


class GradioPage(BaseRoute):
    """The route /gradio and everything below. Importing Gradio takes seconds: a studio that nobody asks starts without.

    The page's background work lives in a task of its own from the first request until `stop`.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._app: asyncio.Future[FastAPI] | None = None
        self._life: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for HTTP requests to the page."""
        ours = scope["type"] == "http" and f"{path_of(scope)}/".startswith(f"{PATH}/")
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with Gradio's application."""
        if path_of(scope) == PATH:
            # Relative, so that it is right behind any gateway, whatever it calls us.
            query = Request(scope).url.query
            location = f"{PATH.removeprefix('/')}/" + (f"?{query}" if query else "")
            await Response(status_code=307, headers={"Location": location})(scope, receive, send)
            return
        if self._app is None:
            self._app = asyncio.get_running_loop().create_future()
            self._life = asyncio.create_task(self._live(self._app))
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)

    async def stop(self) -> None:
        """End the page's background work."""
        self._over.set()
        if self._life is not None:
            await self._life

    async def _live(self, made: asyncio.Future[FastAPI]) -> None:
        """One task enters and leaves the application's lifespan, as its task groups demand."""
        try:
            await asyncio.to_thread(importlib.import_module, "isoline_voice.gradio_page.page")
            app = self._make()  # here: in a thread Gradio would make an event loop of its own and leave it open
        except BaseException as error:
            made.set_exception(error)
            self._app = None  # the next request tries again
            return
        async with app.router.lifespan_context(app):
            made.set_result(app)
            await self._until_idle_at_a_stop()
            # Each open page holds a connection, for which the web server would wait.
            page: Any = next(mount.app for mount in app.routes if isinstance(mount, Mount))
            page.stop_event.set()
            await self._over.wait()

    async def _until_idle_at_a_stop(self) -> None:
        while not (self._over.is_set() or (self._studio.draining and self._studio.idle.is_set())):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), LOOK_SECONDS)

    def _make(self) -> FastAPI:
        import gradio

        from isoline_voice.gradio_page.page import STYLE, build, theme

        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        gradio.mount_gradio_app(
            app,
            build(self._studio),
            PATH,
            theme=theme(),
            css=STYLE,
            max_file_size=self._studio.settings.max_prompt_audio,
            run_history=False,
            footer_links=["api"],
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
        )
        return app
