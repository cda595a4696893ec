"""What holds for every test."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_come() -> Iterator[None]:
    """A command that ran in this process has set up logs for a person; the next test is not one."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
