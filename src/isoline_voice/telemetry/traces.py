"""Spans to an OpenTelemetry collector.

They go as OTLP over HTTP in JSON: the exporters that speak Protobuf bring modules that the control plane, which may be
in the same environment, has in another version.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator

from opentelemetry import trace

from isoline_voice.errors import VoiceError
from isoline_voice.version import __version__

LONGEST_SECONDS = 3.0
"""A collector that is away holds up a stop no longer than this."""


class TracesError(VoiceError):
    """Spans cannot be sent; the message says what is missing."""

    code = "traces_unavailable"


MISSING = "traces need the extra: pip install 'isoline[traces]'"


def installed() -> bool:
    """Whether spans can be sent at all."""
    with contextlib.suppress(ImportError):
        return importlib.util.find_spec("opentelemetry.exporter.otlp.json.http") is not None
    return False


@contextlib.contextmanager
def sending(endpoint: str | None) -> Iterator[None]:
    """Send spans to the collector at `endpoint` (`http://collector:4318`), and what is left of them at the end.

    OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER) count too.
    Without an endpoint nothing is sent. Raises TracesError when the extra `traces` is not installed.
    """
    if endpoint is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracesError(f"{MISSING}.") from error
    resource = Resource.create({"service.name": "isoline-voice", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=LONGEST_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
