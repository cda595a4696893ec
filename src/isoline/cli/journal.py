"""The control plane's own log: on one machine a file, so that the screen is for people; in a cluster what it prints."""

import logging
import sys
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog

LARGEST_LOG = 10 * 2**20


def log_to(path: Path) -> None:
    """Appends to this file from now on; what was there stays beside it once it is large."""
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    file = path.open("a", encoding="utf-8", buffering=1)
    path.chmod(0o600)
    _log_to(file, structlog.processors.JSONRenderer(ensure_ascii=False), logging.INFO)


def log_to_output(form: Literal["text", "json"], *, debug: bool) -> None:
    """Prints log lines from now on, as a cluster expects them."""
    colours = sys.stdout.isatty()
    renderer = structlog.dev.ConsoleRenderer(colors=colours) if form == "text" else structlog.processors.JSONRenderer()
    _log_to(sys.stdout, renderer, logging.DEBUG if debug else logging.INFO)


def log_nothing() -> None:
    """For a command that says itself what went wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _log_to(file: TextIO, renderer: Any, level: int) -> None:
    # The console's renderer shows exceptions by itself.
    exceptions = [] if isinstance(renderer, structlog.dev.ConsoleRenderer) else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *exceptions,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file),
    )
    logging.basicConfig(stream=file, level=logging.WARNING, force=True)
