"""Figures for Prometheus, one registry a studio so that two in one process do not mix."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from isoline_voice.engines.protocol import EngineStats
from isoline_voice.speech import SpeechService
from isoline_voice.telemetry.speeches import FIRST_AUDIO_BUCKETS, SpeechFigures

SPEECH_ROUTES = ("/v1/audio/speech", "/v1/audio/speech/batch", "/predict", "/v1/audio/speech/stream")


class Metrics:
    """Counts what the HTTP side does and reads the engine's own figures when it is scraped."""

    def __init__(self, service: SpeechService) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "isoline_voice_requests",
            "Requests answered, by route and status code.",
            ("route", "code"),
            registry=self.registry,
        )
        self.first_audio = Histogram(
            "isoline_voice_first_audio_seconds",
            "From a request for speech to its first audio.",
            ("route",),
            buckets=FIRST_AUDIO_BUCKETS,
            registry=self.registry,
        )
        self.audio = Counter(
            "isoline_voice_audio_seconds",
            "Seconds of audio sent to clients.",
            ("route",),
            registry=self.registry,
        )
        self.active = Gauge(
            "isoline_voice_active_streams",
            "Answers and WebSocket sessions that are being spoken now.",
            registry=self.registry,
        )
        self.cancelled = Counter(
            "isoline_voice_cancelled_streams",
            "Answers and sessions whose client left before the end.",
            ("route",),
            registry=self.registry,
        )
        for route in SPEECH_ROUTES:
            # A counter that is not there until something happens cannot be told from one that does not exist.
            self.cancelled.labels(route)
            self.audio.labels(route)
        self.speeches = SpeechFigures(self.registry)
        for engine in service.stats().each():
            self.speeches.offer(engine.engine)
        self.registry.register(_EngineFigures(service))

    def render(self) -> bytes:
        """The Prometheus text format, version 0.0.4."""
        return generate_latest(self.registry)


class _EngineFigures(Collector):
    """The engine keeps its own counts; they are read, not copied."""

    def __init__(self, service: SpeechService) -> None:
        self._service = service

    def describe(self) -> list[Metric]:
        return list(_figures(EngineStats()))

    def collect(self) -> Iterator[Metric]:
        return _figures(self._service.stats())


def _figures(stats: EngineStats) -> Iterator[Metric]:
    yield GaugeMetricFamily("isoline_voice_workers", "Worker processes of the engine.", stats.workers)
    yield GaugeMetricFamily("isoline_voice_workers_busy", "Workers that are speaking now.", stats.busy)
    yield GaugeMetricFamily("isoline_voice_queue_depth", "Pieces of text waiting for a worker.", stats.queued)
    yield CounterMetricFamily("isoline_voice_worker_restarts", "Workers replaced after they ended.", stats.restarts)
    yield CounterMetricFamily("isoline_voice_utterances", "Utterances begun.", stats.utterances)
    waiting = GaugeMetricFamily("isoline_voice_engine_queue", "What waits for an engine.", labels=["engine"])
    speaking = GaugeMetricFamily("isoline_voice_engine_active", "Utterances under way.", labels=["engine"])
    waited = CounterMetricFamily(
        "isoline_voice_engine_queue_seconds", "Seconds that requests have waited for their turn.", labels=["engine"]
    )
    for each in stats.each():
        waiting.add_metric([each.engine], each.queued)
        speaking.add_metric([each.engine], each.active)
        waited.add_metric([each.engine], each.waited_seconds)
    yield from (waiting, speaking, waited)
