"""The control plane's own log: a file, so that the screen is for people."""

import logging
from pathlib import Path

import structlog

LARGEST_LOG = 10 * 2**20


def log_to(path: Path) -> None:
    """Appends to this file from now on; what was there stays beside it once it is large."""
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    file = path.open("a", encoding="utf-8", buffering=1)
    path.chmod(0o600)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file),
    )
    logging.basicConfig(stream=file, level=logging.WARNING, force=True)
