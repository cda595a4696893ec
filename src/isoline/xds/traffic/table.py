"""The order of a site's own filters: a request passes them from top to bottom, an answer from bottom to top."""

from typing import Any, Protocol

from isoline.routing import ir
from isoline.xds.traffic import (
    error_pages,
    log_choices,
    page_services,
    rate_limits,
    request_bodies,
    request_headers,
    request_ids,
    session_cookies,
)


class SiteFilter(Protocol):
    """A module that is one filter of a site."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """Unique in the table."""

    def configuration(self, traffic: ir.Traffic) -> Any | None:
        """The filter's message in an `Any`; None where nothing is asked of it."""


TABLE: tuple[SiteFilter, ...] = (
    # First, so that whatever is answered below, or by the app, passes them.
    log_choices,
    request_ids,
    page_services,
    error_pages,
    # What costs least to refuse.
    request_headers,
    request_bodies,
    rate_limits,
    # What chooses an endpoint comes last.
    session_cookies,
)


def site_filters(traffic: ir.Traffic) -> list[tuple[str, Any]]:
    """Names and configurations of what is asked for, in order."""
    found = ((each.NAME, each.configuration(traffic)) for each in TABLE)
    return [(name, config) for name, config in found if config is not None]
