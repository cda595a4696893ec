"""What holds for every test."""

import asyncio
import signal
from asyncio.selector_events import BaseSelectorEventLoop
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

# A shell ignores them for what it starts in the background, and the processes of the tests would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

_close: Any = BaseSelectorEventLoop.close


def _close_with_its_goodbyes(loop: Any) -> None:
    """Close a loop. Connections of TLS that a client closed say goodbye in the background, and one whose handshake was
    cancelled is left by asyncio: neither is worth a warning in whatever test comes later."""
    if not loop.is_closed() and not loop.is_running():
        for transport in list(loop._transports.values()):
            if isinstance(transport.get_protocol(), SSLProtocol):
                transport.abort()
        loop.run_until_complete(asyncio.sleep(0))
    _close(loop)


BaseSelectorEventLoop.close = _close_with_its_goodbyes  # type: ignore[assignment, method-assign]


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """A command that ran in this process has set up logs for a person; the next test is not one."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
