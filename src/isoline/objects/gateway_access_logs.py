"""Access logs of a GatewayConfig: the one of every request, and those that sites choose by name."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.formats import Endpoint, Name
from isoline.objects.model import Model

AccessLogField = Literal[
    "time",
    "client",
    "protocol",
    "method",
    "scheme",
    "host",
    "path",
    "status",
    "flags",
    "details",
    "route",
    "cluster",
    "upstream",
    "upstream_failure",
    "attempts",
    "bytes_received",
    "bytes_sent",
    "duration_ms",
    "request_ms",
    "first_byte_ms",
    "request_id",
    "user_agent",
    "server_name",
    "tls",
]
"""What can be said of a request; durations are milliseconds."""


class NamedAccessLog(Model, frozen=True, kw_only=True):
    """A log that TrafficPolicies choose. It goes to `path` or to `otlp`."""

    name: Annotated[Name, Meta(description="What policies call it.")]
    path: Annotated[str, Meta(description="File of the gateway's, or stdout.")] = ""
    otlp: Annotated[
        Endpoint | None, Meta(description='host:port of an OpenTelemetry collector (gRPC), such as "127.0.0.1:4317".')
    ] = None
    format: Annotated[Literal["json", "text"], Meta(description="Form of a line; OTLP has attributes.")] = "json"
    fields: Annotated[tuple[AccessLogField, ...], Meta(description="What is said, in order; all when empty.")] = ()
