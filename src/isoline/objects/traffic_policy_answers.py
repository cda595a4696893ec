"""The parts of a TrafficPolicy that are about answers."""

from typing import Annotated

from msgspec import Meta

from isoline.objects.formats import Path, Port
from isoline.objects.model import Model


class PageService(Model, frozen=True, kw_only=True):
    """A Service in the policy's namespace that answers in place of the error."""

    name: Annotated[str, Meta(description="Name of the Service.")]
    port: Annotated[Port, Meta(description="Port of the Service.")]
    path: Annotated[Path, Meta(description="Path that is asked for.")] = "/"


class ErrorPage(Model, frozen=True, kw_only=True):
    """What clients get for some statuses; the first page that names a status counts."""

    statuses: Annotated[tuple[str, ...], Meta(description='Statuses from 400 to 599, and ranges such as "500-599".')]
    body: Annotated[str, Meta(description="Text of the answer.")] = ""
    content_type: Annotated[str, Meta(description="Media type of the text.")] = "text/html; charset=utf-8"
    service: Annotated[PageService | None, Meta(description="Who answers instead of a fixed text.")] = None
    status: Annotated[
        Annotated[int, Meta(ge=200, le=599)] | None,
        Meta(description="Status of the answer; the error's own when unset."),
    ] = None


class RequestID(Model, frozen=True, kw_only=True):
    """The identity that the access log and upstreams see."""

    header: Annotated[str, Meta(description="Response header that carries it.")] = "X-Request-ID"


class PolicyAccessLog(Model, frozen=True, kw_only=True):
    """Which requests are logged, and where."""

    name: Annotated[str, Meta(description="One of the GatewayConfig's accessLogs; its accessLog when unset.")] = ""
    percent: Annotated[
        Annotated[int, Meta(ge=0, le=100)], Meta(description="Requests that are logged, drawn by lot.")
    ] = 100
