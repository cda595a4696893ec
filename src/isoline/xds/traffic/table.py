"""The order of a site's own filters: a request passes them from top to bottom, an answer from bottom to top."""

from typing import Any, Protocol

from isoline.routing import ir
from isoline.xds.traffic import (
    adaptive_concurrency,
    api_keys,
    bandwidth,
    basic_auth,
    claims,
    compression,
    error_pages,
    log_choices,
    login,
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
    bandwidth.Responses(),
    page_services,
    error_pages,
    # As the app answers, so that pages in place of its errors come as they are.
    compression.Compressor("zstd"),
    compression.Compressor("brotli"),
    compression.Compressor("gzip"),
    # What costs least to refuse.
    request_headers,
    request_bodies,
    rate_limits,
    api_keys,
    basic_auth,
    claims.Rules(),
    claims.Headers(),
    # Only what goes to the app is measured.
    adaptive_concurrency,
    session_cookies,
    bandwidth.Requests(),
    # Last, for it may wait for a token, and what it waits with is not resumed inside the chain.
    login,
)


def site_filters(traffic: ir.Traffic) -> list[tuple[str, Any]]:
    """Names and configurations of what is asked for, in order."""
    found = ((each.NAME, each.configuration(traffic)) for each in TABLE)
    return [(name, config) for name, config in found if config is not None]
