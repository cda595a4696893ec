"""What those who run the studio see: figures by engine and outcome, logs without what was said, traces that go on."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from aiohttp import web
from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from isoline_voice.api.app import create_app
from isoline_voice.engines.fallback import FallbackEngine
from isoline_voice.errors import EngineUnavailableError, QueueFullError, SynthesisError, VoiceError
from isoline_voice.scheduling.engine import ScheduledEngine
from isoline_voice.scheduling.scheduler import Scheduler
from isoline_voice.settings import Settings
from isoline_voice.speech import SpeechService
from isoline_voice.telemetry import logs, traces

from .conftest import FakeEngine
from .test_api_leaving import free, request

PATH = "/v1/audio/speech"
SECRET = "My password is swordfish."
BROKEN_OFF = contextlib.suppress(AssertionError)
"""httpx asserts that an answer is complete when there is no connection that could break."""


async def figure(client: httpx.AsyncClient, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    [value] = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
    return float(value)


def speeches(engine: str, outcome: str) -> str:
    return f'isoline_voice_speeches_total{{engine="{engine}",outcome="{outcome}"}}'


async def test_a_speech_is_counted_under_its_engine(client: httpx.AsyncClient) -> None:
    for outcome in ("spoken", "cancelled", "failed", "refused"):
        assert await figure(client, speeches("fake", outcome)) == 0, "shown before there is one"
    await client.post(PATH, json={"input": "Hello."})
    assert await figure(client, speeches("fake", "spoken")) == 1
    assert await figure(client, 'isoline_voice_speech_first_audio_seconds_count{engine="fake"}') == 1
    assert await figure(client, 'isoline_voice_speech_real_time_factor_count{engine="fake"}') == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (SynthesisError("It broke."), "failed"),
        (EngineUnavailableError("It is away."), "failed"),
        (QueueFullError("Too many.", retry_after=1), "refused"),
    ],
)
async def test_how_it_ended_is_told(
    client: httpx.AsyncClient, engine: FakeEngine, error: VoiceError, outcome: str
) -> None:
    engine.refuse = error
    await client.post(PATH, json={"input": "Hello."})
    assert await figure(client, speeches("fake", outcome)) == 1


async def test_a_wrong_request_is_the_clients_doing(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json={"input": "Hello.", "voice": "a stranger's choice"})
    assert await figure(client, speeches("fake", "refused")) == 1
    assert "stranger" not in (await client.get("/metrics")).text


async def test_breaking_off_is_a_failure(client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.break_after = 1
    with BROKEN_OFF:
        await client.post(PATH, json={"input": "x" * 50})
    assert await figure(client, speeches("fake", "failed")) == 1


async def test_leaving_is_a_cancel(served: str, engine: FakeEngine) -> None:
    engine.endless = True
    reader, writer = await request(served, PATH, {"input": "For ever.", "response_format": "pcm"})
    await reader.readexactly(4000)
    writer.transport.abort()
    await free(engine)
    async with httpx.AsyncClient(base_url=f"http://{served}") as client:
        assert await figure(client, speeches("fake", "cancelled")) == 1
        assert await figure(client, speeches("fake", "spoken")) == 0


async def test_of_several_engines_each_has_its_own_figures() -> None:
    away, here = FakeEngine(name="away"), FakeEngine(name="here")
    away.refuse = EngineUnavailableError("It is away.")
    engine = FallbackEngine([ScheduledEngine(away), ScheduledEngine(here)])
    app = create_app(SpeechService(engine), Settings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://studio") as client:
        for name in ("away", "here"):
            assert await figure(client, f'isoline_voice_engine_queue{{engine="{name}"}}') == 0
            assert await figure(client, f'isoline_voice_engine_active{{engine="{name}"}}') == 0
            assert await figure(client, f'isoline_voice_engine_queue_seconds_total{{engine="{name}"}}') == 0
            assert await figure(client, speeches(name, "spoken")) == 0
    app.state.studio.close()


async def test_the_wait_for_a_turn_is_summed() -> None:
    scheduler = Scheduler()
    slots = [await scheduler.slot(client="", priority="interactive", deadline=None) for _ in range(256)]
    assert scheduler.waited_seconds == 0
    waiting = asyncio.create_task(scheduler.slot(client="", priority="interactive", deadline=None))
    while not scheduler.queued:  # noqa: ASYNC110 (a queue has no event for it)
        await asyncio.sleep(0)
    slots[0].release()
    await waiting
    assert scheduler.waited_seconds > 0


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What `logs.configure` writes to; the configuration of before comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@contextlib.asynccontextmanager
async def logged(engine: FakeEngine, **settings: Any) -> Any:
    app = create_app(SpeechService(engine), Settings(**settings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://studio") as client:
        yield client
    app.state.studio.close()


def spoken_line(written: io.StringIO) -> dict[str, Any]:
    [line] = [line for line in map(json.loads, written.getvalue().splitlines()) if line["event"] == "speech"]
    assert isinstance(line, dict)
    return line


async def test_each_speech_is_a_line_of_json(engine: FakeEngine, written: io.StringIO) -> None:
    logs.configure("json", written)
    async with logged(engine) as client:
        await client.post(PATH, json={"input": SECRET}, headers={"X-Request-Id": "abc-1"})
    line = spoken_line(written)
    assert (line["engine"], line["outcome"], line["level"], line["request_id"]) == ("fake", "spoken", "info", "abc-1")
    assert line["characters"] == len(SECRET)
    assert line["audio_seconds"] == pytest.approx(0.3)
    assert line["first_audio_ms"] >= 0
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("breaking", ["not at all", "at once", "half way", "unforeseen"])
async def test_what_was_said_is_in_no_line(
    engine: FakeEngine, written: io.StringIO, form: logs.LogFormat, breaking: str
) -> None:
    match breaking:
        case "at once":
            engine.refuse = SynthesisError(f"The engine choked on {SECRET}")
        case "half way":
            engine.break_after = 1
        case "unforeseen":
            engine.voices = None  # type: ignore[assignment,method-assign]
    logs.configure(form, written)
    async with logged(engine) as client:
        with BROKEN_OFF:
            await client.post(PATH, json={"input": SECRET, "instructions": "like a swordfish"})
        with BROKEN_OFF:
            await client.post(f"{PATH}/batch", json={"items": [{"input": SECRET}]})
    assert "speech" in written.getvalue()
    assert "swordfish" not in written.getvalue()


async def test_what_was_said_is_logged_where_the_operator_wants_it(engine: FakeEngine, written: io.StringIO) -> None:
    logs.configure("json", written)
    async with logged(engine, log_text=True) as client:
        await client.post(PATH, json={"input": SECRET})
    assert spoken_line(written)["text"] == SECRET


def test_a_line_of_text_is_one_line(written: io.StringIO) -> None:
    logs.configure("text", written)
    structlog.get_logger("test").info("speech", client="one two\nlevel=error", seconds=0.5)
    logging.getLogger("library").warning("of another library")
    first, second = written.getvalue().splitlines()
    assert first.endswith(r"info    speech client='one two\nlevel=error' seconds=0.5")
    assert second.endswith("warning of another library")


async def test_a_strangers_request_id_is_not_written_as_it_is(engine: FakeEngine, written: io.StringIO) -> None:
    logs.configure("json", written)
    async with logged(engine) as client:
        await client.post(PATH, json={"input": "Hello."}, headers={"X-Request-Id": "x" * 5000})
    assert "request_id" not in written.getvalue()


class RecordedSpan(trace.NonRecordingSpan):
    """A span of the test's: its name, parent, attributes and events."""

    def __init__(self, name: str, parent: trace.SpanContext, attributes: dict[str, AttributeValue]) -> None:
        number = parent.trace_id or 1
        super().__init__(trace.SpanContext(number, id(self) & 0xFFFF or 1, is_remote=False))
        self.name, self.parent, self.attributes = name, parent, attributes
        self.events: list[str] = []
        self.ended = False

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.attributes[key] = value

    def add_event(self, name: str, *_: Any, **__: Any) -> None:
        self.events.append(name)

    def update_name(self, name: str) -> None:
        self.name = name

    def end(self, *_: Any, **__: Any) -> None:
        self.ended = True


class Recorder(trace.NoOpTracer):
    """A tracer that keeps its spans."""

    def __init__(self) -> None:
        self.spans: list[RecordedSpan] = []

    def start_span(self, name: str, context: Any = None, *_: Any, **more: Any) -> RecordedSpan:
        parent = trace.get_current_span(context).get_span_context()
        self.spans.append(RecordedSpan(name, parent, dict(more.get("attributes") or {})))
        return self.spans[-1]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(trace, "get_tracer", lambda *_: recorder)
    return recorder


async def test_a_callers_trace_goes_on_to_the_engine(recorder: Recorder, client: httpx.AsyncClient) -> None:
    number = 0x4BF92F3577B34DA6A3CE929D0E0E4736
    headers = {"traceparent": f"00-{number:032x}-00f067aa0ba902b7-01"}
    await client.post(PATH, json={"input": SECRET}, headers=headers)
    await client.get("/readyz")
    served, spoken = recorder.spans
    assert (served.name, served.parent.trace_id, served.parent.span_id) == (f"POST {PATH}", number, 0x00F067AA0BA902B7)
    assert served.attributes["http.response.status_code"] == 200
    assert spoken.parent == served.get_span_context()
    assert spoken.events == ["first audio"]
    assert (spoken.attributes["voice.engine"], spoken.attributes["voice.outcome"]) == ("fake", "spoken")
    assert served.ended
    assert spoken.ended
    assert "swordfish" not in str([span.attributes for span in recorder.spans])


@pytest.mark.parametrize("header", ["", "00-zz-1-01", "garbage" * 500])
async def test_a_broken_traceparent_begins_a_trace_of_our_own(
    recorder: Recorder, client: httpx.AsyncClient, header: str
) -> None:
    answer = await client.post(PATH, json={"input": "Hello."}, headers={"traceparent": header})
    assert answer.status_code == 200
    assert not recorder.spans[0].parent.is_valid


async def test_a_failure_ends_the_span(recorder: Recorder, client: httpx.AsyncClient, engine: FakeEngine) -> None:
    engine.refuse = SynthesisError(f"The engine choked on {SECRET}")
    await client.post(PATH, json={"input": SECRET})
    served, spoken = recorder.spans
    assert (served.attributes["http.response.status_code"], spoken.attributes["voice.outcome"]) == (500, "failed")
    assert spoken.ended


def test_without_the_extra_traces_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(traces.TracesError, match=r"isoline\[traces\]"), traces.sending("http://127.0.0.1:4318"):
        pytest.fail("nothing was missing")


def test_without_an_endpoint_nothing_is_needed() -> None:
    with traces.sending(None):
        assert not trace.get_tracer("test").start_span("x").is_recording()


async def test_a_collector_gets_the_spans_in_json() -> None:
    pytest.importorskip("opentelemetry.sdk.trace", reason="the extra `traces` is not installed")
    received: asyncio.Queue[Any] = asyncio.Queue()

    async def collect(asked: web.Request) -> web.Response:
        received.put_nowait((asked.path, await asked.json()))
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/{path:.*}", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    program = (
        "import sys; from opentelemetry import trace; from isoline_voice.telemetry import traces\n"
        "with traces.sending(sys.argv[1]): trace.get_tracer('test').start_span('speak').end()"
    )
    try:
        # The provider is the process's: there is no taking it back.
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, address)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
            path, told = await received.get()
    finally:
        await runner.cleanup()
    [resource] = told["resourceSpans"]
    assert path == "/v1/traces"
    assert resource["scopeSpans"][0]["spans"][0]["name"] == "speak"
    assert {"key": "service.name", "value": {"stringValue": "isoline-voice"}} in resource["resource"]["attributes"]
