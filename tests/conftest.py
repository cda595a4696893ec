"""What holds for every test."""

import signal
from collections.abc import Iterator

import pytest
import structlog

# A shell ignores them for what it starts in the background, and the processes of the tests would as well.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """A command that ran in this process has set up logs for a person; the next test is not one."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
