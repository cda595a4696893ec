"""What holds for every test."""

import asyncio
import signal
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

# A shell ignores them for what it starts in the background, and the processes of the tests would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

_close: Any = BaseSelectorEventLoop.close


def _close_with_its_connections(loop: Any) -> None:
    """Close a loop, and what is open in it: TLS says goodbye in the background, asyncio leaves a connection open whose
    handshake was cancelled, and a test that failed leaves what it had. No later test is to be blamed for them."""
    if not loop.is_closed() and not loop.is_running():
        while transports := [each for each in loop._transports.values() if not each.is_closing()]:
            for transport in transports:
                transport.abort()
            loop.run_until_complete(asyncio.sleep(0))
    _close(loop)


BaseSelectorEventLoop.close = _close_with_its_connections  # type: ignore[assignment, method-assign]


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """A command that ran in this process has set up logs for a person; the next test is not one."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
