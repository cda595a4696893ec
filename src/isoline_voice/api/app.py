"""The studio's ASGI application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from isoline_voice.api import (
    batch,
    encoding,
    errors,
    health,
    inference,
    jobs,
    models,
    page,
    predict,
    recordings,
    reference,
    speech,
    stream,
    usage,
    voices,
    wishes,
)
from isoline_voice.api.counting import CountRequests
from isoline_voice.api.keys import RequireKeys
from isoline_voice.api.openapi import ANY_ERROR, DESCRIPTION, TITLE
from isoline_voice.api.studio import Studio
from isoline_voice.api.tracing import TraceRequests
from isoline_voice.gradio_page.serving import GradioPage
from isoline_voice.metrics import Metrics
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService
from isoline_voice.version import __version__


def create_app(service: SpeechService, settings: Settings) -> FastAPI:
    """The application over `service`, which it starts and stops with its lifespan; `app.state.studio` is its Studio."""
    studio = Studio(service, settings, Metrics(service))
    gradio_page = GradioPage(studio)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        _ = studio.database  # what is wrong with the folder is said now, not to the first who asks
        await service.start()
        studio.runner.start()
        try:
            yield
        finally:
            await gradio_page.stop()
            await studio.runner.stop()
            await service.stop()
            studio.close()

    # FastAPI's own /docs loads scripts from another host.
    app = FastAPI(
        responses=ANY_ERROR,
        title=TITLE,
        description=DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.studio = studio
    app.add_middleware(RequireKeys, clients=settings.clients)
    app.add_middleware(CountRequests, metrics=studio.metrics)
    app.add_middleware(TraceRequests)
    errors.install(app)
    groups = (
        speech,
        batch,
        jobs,
        stream,
        encoding,
        predict,
        inference,
        models,
        recordings,
        voices,
        wishes,
        usage,
        health,
    )
    for group in groups:
        app.include_router(group.router)
    page.install(app)
    reference.install(app)
    app.router.routes.append(gradio_page)
    return app
