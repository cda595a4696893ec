"""The studio's clients as people have them, through the gateway: OpenAI's library, WebSockets, forms, early leaves."""

import io
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import av
import httpx
import numpy as np
import openai
import pytest
import soundfile
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived
from websockets.sync.client import ClientConnection, connect

from e2e.support import VOICE_HOST as HOST
from e2e.support import Isoline, smoke

SPEECH = "/v1/audio/speech"
SENTENCE = "Good morning. 今天天气很好。"


@pytest.fixture
def client(studio: Isoline) -> Iterator[httpx.Client]:
    """An HTTP client that believes the local CA."""
    with studio.client() as client:
        yield client


@pytest.fixture
def openai_client(studio: Isoline, client: httpx.Client) -> openai.OpenAI:
    """OpenAI's library; retries would hide a first failure."""
    base_url = studio.url(HOST, "/v1")
    options: dict[str, Any] = {"http_client": client}  # typed as the client that it would make by itself
    return openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, **options)


def session(studio: Isoline) -> ClientConnection:
    """A WebSocket over TLS to the gateway."""
    return connect(
        f"wss://{HOST}:{studio.https_port}{SPEECH}/stream",
        sock=socket.create_connection(("127.0.0.1", studio.https_port)),
        ssl=ssl.create_default_context(cafile=str(studio.state / "ca.crt")),
        server_hostname=HOST,
    )


def figure(studio: Isoline, name: str) -> float:
    """The sum of a metric over its labels."""
    with studio.client() as client:
        lines = client.get(studio.url(HOST, "/metrics")).text.splitlines()
    values = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
    assert values, f"there is no {name}"
    return sum(values)


def until_idle(studio: Isoline) -> None:
    names = ("isoline_voice_active_streams", "isoline_voice_workers_busy", "isoline_voice_queue_depth")
    studio.until(lambda: all(figure(studio, name) == 0 for name in names), limit=10)


def loudness_and_seconds(audio: bytes, audio_format: str) -> tuple[float, float]:
    """RMS from 0 to 1, and duration."""
    if audio_format == "pcm":
        samples, rate = np.frombuffer(audio, "<i2") / 32768, 24_000
    else:
        with av.open(io.BytesIO(audio), "r") as container:
            frames = [frame.to_ndarray() for frame in container.decode(container.streams.audio[0])]
            rate = container.streams.audio[0].rate
        whole = np.concatenate(frames, axis=1)[0]
        samples = whole / 32768 if whole.dtype == np.int16 else whole.astype(float)
    return float(np.sqrt(np.mean(samples**2))), len(samples) / rate


@pytest.mark.parametrize("audio_format", ["wav", "mp3", "opus", "aac", "flac", "pcm"])
def test_openais_library_gets_every_format(openai_client: openai.OpenAI, audio_format: Any) -> None:
    answer = openai_client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="alloy", input=SENTENCE, response_format=audio_format
    )
    loudness, seconds = loudness_and_seconds(answer.content, audio_format)
    assert 0.02 < loudness < 0.5
    assert 2 < seconds < 6


@pytest.mark.parametrize("audio_format", ["wav", "mp3", "opus", "pcm"])
def test_openais_library_streams(openai_client: openai.OpenAI, audio_format: Any) -> None:
    create = openai_client.audio.speech.with_streaming_response.create
    with create(model="tts-1", voice="nova", input=SENTENCE * 10, response_format=audio_format) as answer:
        assert answer.headers["x-voice-engine"] == "embedded"
        pieces = list(answer.iter_bytes())
    assert len(pieces) > 3
    loudness, seconds = loudness_and_seconds(b"".join(pieces), audio_format)
    assert loudness > 0.02
    assert seconds > 20


def test_openais_library_gets_subtitles_and_times(openai_client: openai.OpenAI) -> None:
    """The fields that it does not know go into `extra_body`, as its documentation says."""
    asked: dict[str, Any] = {"model": "tts-1", "voice": "alloy", "input": SENTENCE}
    subtitles = openai_client.audio.speech.create(**asked, extra_body={"response_format": "vtt"}).text
    assert subtitles.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:0")
    assert [line for line in subtitles.splitlines() if line and "-->" not in line][1:] == [
        "Good morning.",
        "今天天气很好。",
    ]
    timed = {"timestamp_granularities": ["word"]}
    create = openai_client.audio.speech.with_streaming_response.create
    with create(**asked, stream_format="sse", extra_body=timed) as answer:
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line]
    words = [word["text"] for event in events if event["type"] == "speech.audio.timestamps" for word in event["words"]]
    assert words == ["Good", "morning", *"今天天气很好"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"speed": 9}, "speed"), ({"voice": "nobody"}, "voice"), ({"input": ""}, "input"), ({"seed": "x"}, "seed")],
)
def test_openais_library_raises_its_own_error_with_the_field(
    openai_client: openai.OpenAI, fields: dict[str, Any], param: str
) -> None:
    body = {"model": "tts-1", "voice": "alloy", "input": "Hello."} | fields
    with pytest.raises(openai.BadRequestError) as refused:
        openai_client.post(SPEECH.removeprefix("/v1"), cast_to=object, body=body)
    assert refused.value.param == param


def test_the_engine_is_called_as_the_catalog_calls_it(studio: Isoline, openai_client: openai.OpenAI) -> None:
    assert openai_client.models.list().data[0].id == "embedded"
    assert "embedded engine" in studio.until(lambda: studio.said() if "Studio" in studio.said() else "")


def test_a_websocket_speaks_what_comes_word_by_word(studio: Isoline) -> None:
    with session(studio) as stream:
        stream.send(json.dumps({"type": "session.config", "voice": "alloy", "instructions": "用四川话大声读出来"}))
        for word in ("你好", "，世界。", "How are", " you?"):
            stream.send(json.dumps({"type": "input.text", "text": word}))
        stream.send(json.dumps({"type": "input.done"}))
        received = list(stream)
    messages = [json.loads(message) for message in received if isinstance(message, str)]
    audio = b"".join(message for message in received if isinstance(message, bytes))
    starts = [message for message in messages if message["type"] == "audio.start"]
    assert [start["sentence_text"].strip() for start in starts] == ["你好，世界。", "How are you?"]
    assert starts[0]["engine"] == "embedded"
    assert starts[0]["style"]["dialect"] == "四川话"
    assert starts[0]["warnings"][0]["code"] == "dialect_unsupported"
    assert messages[-1]["type"] == "session.done"
    loudness, seconds = loudness_and_seconds(audio, "pcm")
    assert loudness > 0.05
    assert messages[-1]["usage"]["audio_seconds"] == pytest.approx(seconds, abs=0.01)


def test_events_carry_the_audio_and_what_was_understood(studio: Isoline, client: httpx.Client) -> None:
    body = {"input": SENTENCE, "instructions": "slowly", "stream_format": "sse", "response_format": "pcm"}
    answer = client.post(studio.url(HOST, SPEECH), json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    done = events[-1]
    assert done["type"] == "speech.audio.done"
    assert done["style"]["rate"] < 0
    assert done["warnings"] == []
    assert done["usage"]["input_tokens"] == len(SENTENCE)


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"text": SENTENCE, "instruct": "loudly"}},
        {"data": {"text": SENTENCE, "instruct": "loudly"}},
    ],
    ids=["json", "form"],
)
def test_predict_answers_with_a_wav_file(studio: Isoline, client: httpx.Client, body: dict[str, Any]) -> None:
    assert "imitated" not in _predicted(studio, client, body)


def test_predict_takes_a_recording_to_speak_like(studio: Isoline, client: httpx.Client) -> None:
    recording = client.post(studio.url(HOST, "/predict"), json={"text": SENTENCE * 2}).content
    body = {"data": {"text": SENTENCE, "instruct": "loudly"}, "files": {"prompt_wav": ("me.wav", recording)}}
    assert "imitated" in _predicted(studio, client, body)


def _predicted(studio: Isoline, client: httpx.Client, body: dict[str, Any]) -> str:
    """The warnings."""
    answer = client.post(studio.url(HOST, "/predict"), **body)
    assert answer.status_code == 200, answer.text
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert rate == 24_000
    assert 2 < len(samples) / rate < 6
    assert np.sqrt(np.mean(samples**2)) > 0.08
    warnings: str = answer.headers.get("x-voice-warnings", "")
    return warnings


@pytest.mark.parametrize("http2", [True, False])
@pytest.mark.parametrize(
    ("path", "body"),
    [(SPEECH, {"content": b"x" * 20_000_000}), ("/predict", {"files": {"prompt_wav": b"x" * 20_000_000}})],
)
def test_too_large_an_upload_gets_its_answer(studio: Isoline, path: str, body: dict[str, Any], http2: bool) -> None:
    """The gateway breaks the connection off when the studio answers before it has taken the body."""
    with studio.client(http2=http2) as client:
        answer = client.post(studio.url(HOST, path), timeout=100, **body)  # HTTP/2 in Python is slow
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("stream_format", ["audio", "sse"])
@pytest.mark.parametrize("http2", [True, False])
def test_a_client_that_leaves_frees_the_worker(studio: Isoline, http2: bool, stream_format: str) -> None:
    cancelled = figure(studio, "isoline_voice_cancelled_streams_total")
    body = {"input": SENTENCE * 4000, "response_format": "pcm", "stream_format": stream_format}
    with studio.client(http2=http2) as client, client.stream("POST", studio.url(HOST, SPEECH), json=body) as answer:
        pieces = answer.iter_raw()  # held on to: it closes the connection when it goes
        assert next(pieces)
        assert figure(studio, "isoline_voice_active_streams") == 1
    until_idle(studio)
    assert figure(studio, "isoline_voice_cancelled_streams_total") == cancelled + 1


def test_a_stream_that_is_reset_frees_the_worker_while_its_connection_goes_on(studio: Isoline) -> None:
    cancelled = figure(studio, "isoline_voice_cancelled_streams_total")
    context = ssl.create_default_context(cafile=str(studio.state / "ca.crt"))
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", studio.https_port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as connected,
    ):
        connection = H2Connection()
        connection.initiate_connection()
        body = json.dumps({"input": SENTENCE * 1000, "response_format": "pcm"}).encode()
        head = {":method": "POST", ":scheme": "https", ":authority": HOST, ":path": SPEECH}
        connection.send_headers(1, list(head.items()))
        connected.sendall(connection.data_to_send())
        while body:
            fits = min(len(body), connection.local_flow_control_window(1), connection.max_outbound_frame_size)
            connection.send_data(1, body[:fits], end_stream=fits == len(body))
            body = body[fits:]
            connected.sendall(connection.data_to_send())
            if body and not connection.local_flow_control_window(1):
                connection.receive_data(connected.recv(65_536))
        while not any(isinstance(event, DataReceived) for event in connection.receive_data(connected.recv(65_536))):
            pass
        assert figure(studio, "isoline_voice_active_streams") == 1
        connection.reset_stream(1, ErrorCodes.CANCEL)
        connected.sendall(connection.data_to_send())
        until_idle(studio)
        assert figure(studio, "isoline_voice_cancelled_streams_total") == cancelled + 1


def test_a_websocket_that_closes_frees_the_worker(studio: Isoline) -> None:
    with session(studio) as stream:
        stream.send(json.dumps({"type": "input.text", "text": SENTENCE * 4000}))
        while not isinstance(stream.recv(timeout=10), bytes):
            pass
        assert figure(studio, "isoline_voice_active_streams") == 1
    until_idle(studio)


def test_100_kilobytes_of_text_are_heard_from_the_start_and_to_the_end(studio: Isoline) -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 2300
    assert len(text) > 100_000
    before = figure(studio, "isoline_voice_audio_seconds_total")
    body = {"input": text, "response_format": "pcm", "speed": 4}
    with studio.client() as client, client.stream("POST", studio.url(HOST, SPEECH), json=body) as answer:
        pieces = answer.iter_raw()
        received = len(next(pieces))
        spoken_at_first = figure(studio, "isoline_voice_audio_seconds_total") - before
        received += sum(len(piece) for piece in pieces)
    seconds = received / 2 / 24_000
    assert seconds > 600
    assert spoken_at_first < seconds / 4
    until_idle(studio)


def test_the_catalogs_smoke_test_of_the_studio_passes(studio: Isoline) -> None:
    said = smoke(studio, "voice")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("embedded spoke")
