"""Requests that no studio can answer, some five hundred: each a wrong type, a broken body, a bomb or a lie."""

from __future__ import annotations

import base64
import functools
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .recordings import encoded, spoken, wav

SEED = 20261122
SPEECH, BATCH, JOBS, VOICES = "/v1/audio/speech", "/v1/audio/speech/batch", "/v1/audio/jobs", "/v1/audio/voices"
BOMB_BYTES = 1 << 30
"""What the bombs say that they unpack to."""


class Case(NamedTuple):
    """A request, and which field its error has to name ("" is none, None leaves it open)."""

    name: str
    method: str
    path: str
    content: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012 (a NamedTuple's default; nobody writes to it)
    param: str | None = None


def _json(path: str, body: Any, param: str | None, name: str = "") -> Case:
    content = json.dumps(body).encode()
    return Case(name or f"{path} {content[:60]!r}", "POST", path, content, {"content-type": "application/json"}, param)


WRONG: dict[str, list[Any]] = {
    "input": [5, True, [], {}, [None], "", "  ", "\n\t", "\u3000", 1e300],
    "voice": [5, True, [], {}, {"id": 5}, {"name": "alloy"}, "nobody", "../../etc/passwd", "\x00", "x" * 10_000, ""],
    "instructions": [5, True, [], {}, "x" * 4097, "慢" * 5000],
    "speed": ["fast", -1, 0, 0.249, 4.01, True, [], {}, float("nan"), float("inf"), -float("inf"), 1e308, ""],
    "deadline": ["soon", 0, -1, 3601, True, [], {}, float("nan"), float("inf")],
    "language": [5, True, [], {}, "x" * 36],
    "seed": ["x", 1.5, True, [], {}, float("nan"), ""],
    "response_format": ["midi", 5, True, [], {}, "", "WAV ", "../mp3", "mp3\x00"],
    "model": [5, True, [], {}, "x" * 257],
}
REFERENCES: list[Any] = [
    5,
    True,
    [],
    {},
    "!",
    "",
    "data:",
    "data:audio/wav;base64,####",
    "http://127.0.0.1:1/a.wav",
    "https://example.org/a.wav",
    "file:///etc/passwd",
    "/etc/passwd",
    base64.b64encode(b"no audio at all").decode(),
    base64.b64encode(b"RIFF\xff\xff\xff\xffWAVEfmt ").decode(),
]


def fields() -> Iterator[Case]:
    """Fields of the wrong type or out of range, on every route that takes them."""
    for name, values in WRONG.items():
        for value in values:
            if value == "" and name in ("voice", "instructions", "language"):
                continue
            yield _json(SPEECH, {"input": "Hello.", name: value}, name)
    for value in [*REFERENCES[:5], *REFERENCES[6:]]:
        yield _json(SPEECH, {"input": "Hello.", "ref_audio": value}, "ref_audio")
    for value in ("xml", 5, [], ""):
        yield _json(SPEECH, {"input": "Hello.", "stream_format": value}, "stream_format")
    for name in ("speed", "seed", "model", "response_format"):
        for value in WRONG[name]:
            yield _json(BATCH, {"items": [{"input": "Hello."}], name: value}, name)
    lists: list[Any] = [None, 5, "x", [], {}, [5], ["x"], [None], [[]], [{"input": "x"}] * 33]
    for items in lists:
        yield _json(BATCH, {"items": items}, "items")
    for name in ("speed", "seed", "instructions", "model", "response_format"):
        for value in WRONG[name]:
            yield _json(JOBS, {"input": "Hello.", name: value}, name)
    yield from _jobs()
    yield from _other_servers_routes()
    for tag in ("[dance]", "<strong>open", "</laughter>", "[ZZ9]"):
        yield _json(SPEECH, {"input": f"Hello {tag} there."}, "input")


def _other_servers_routes() -> Iterator[Case]:
    for value in WRONG["input"]:
        yield _json("/predict", {"text": value}, "text")
    for value in WRONG["speed"]:
        yield _json("/predict", {"text": "Hello.", "speed": value}, "speed")
    for value in [*REFERENCES[:5], *REFERENCES[6:]]:
        yield _json("/predict", {"text": "Hello.", "prompt_wav": value}, "prompt_wav")
    for mode, param in (("sft", "tts_text"), ("zero_shot", "prompt_wav"), ("instruct", "instruct_text")):
        body = {} if mode == "sft" else {"tts_text": "Hello."}
        yield _json(f"/inference_{mode}", body, param)


def _jobs() -> Iterator[Case]:
    texts: list[Any] = [5, [], {}, "", " ", "\n", "……"]
    for text in texts:
        yield _json(JOBS, {"input": text}, "input")
    books: list[Any] = [5, "x", {}, [5], [{}], [{"input": 5}], [{"input": "x", "titel": "y"}], [{"input": "x"}] * 2001]
    for chapters in books:
        yield _json(JOBS, {"chapters": chapters}, "chapters")
    for url in (5, "ftp://x", "http://127.0.0.1/", "http://[", "javascript:alert(1)", "http://metadata/", "x" * 2001):
        yield _json(JOBS, {"input": "Hello.", "webhook": url}, "webhook")


def bodies() -> Iterator[Case]:
    """Bodies that are no JSON object, or JSON that would break a careless parser."""
    good = json.dumps({"input": "你好, world", "speed": 1.5, "instructions": "slowly", "voice": "alloy"}).encode()
    shapes = [
        b"",
        b" ",
        b"null",
        b"true",
        b"5",
        b'"text"',
        b"[]",
        b'["input"]',
        b"{",
        b"}",
        b"{}{}",
        b'{"input": "a"} trailing',
        b"{'input': 'a'}",
        b'{"input": undefined}',
        b'{"input": "a",}',
        b'{"input": "\\ud800"}',
        b'{"input": "\xff\xfe"}',
        b'{"input": "\\x41"}',
        b'{"input": "a\nb"}',
        '{"input": "a"}'.encode("utf-16"),
        b"\x00" * 100,
        b"[" * 90_000,
        b'{"input":' * 9_000,
        b'{"input": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"input": "a", "speed": ' + b"9" * 5_000 + b"}",
        b'{"input": "a", "speed": 1e99999}',
        b'{"input": "a", "speed": -Infinity}',
        b'{"input": "a", "seed": ' + b"9" * 5_000 + b"}",
        b'{"input": "a", "seed": 1e2}' + b"\x00",
        b"<?xml version='1.0'?><speech>Hello</speech>",
        b"input=Hello",
        b"--x\r\nContent-Disposition: form-data; name=input\r\n\r\nHello\r\n--x--",
    ]
    kinds = ("application/json", "text/plain", "application/xml", "application/octet-stream", "")
    for path in (SPEECH, BATCH, JOBS, "/predict"):
        for number, shape in enumerate(shapes):
            yield Case(f"{path} {shape[:30]!r}", "POST", path, shape, {"content-type": kinds[number % len(kinds)]})
    dice = random.Random(SEED)
    for _ in range(60):
        cut = dice.randrange(1, len(good))
        yield Case(f"cut at {cut}", "POST", SPEECH, good[:cut], {"content-type": "application/json"}, "")
    for length in range(1, 41):
        yield Case(f"noise of {length}", "POST", SPEECH, b"\xf8" + dice.randbytes(length), {}, "")


def _part(name: str, value: bytes, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"


def _form(path: str, *parts: bytes, param: str | None, name: str, end: bytes = b"--x--\r\n") -> Case:
    return Case(name, "POST", path, b"".join(parts) + end, {"content-type": "multipart/form-data; boundary=x"}, param)


CONSENT = (_part("name", b"Li"), _part("consent", b"I agree that my voice is used."))


def forms() -> Iterator[Case]:
    """Forms that break off, lie about themselves or hold what is no text."""
    whole = b"".join((*CONSENT, _part("audio_sample", wav(spoken(0.2)), "a.wav"))) + b"--x--\r\n"
    dice = random.Random(SEED)
    kind = "multipart/form-data; boundary=x"
    for _ in range(40):
        cut = dice.randrange(1, len(whole) - 6)
        yield Case(f"form cut at {cut}", "POST", VOICES, whole[:cut], {"content-type": kind})
    for declared in (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=y",
        f"multipart/form-data; boundary={'x' * 300}",
        'multipart/form-data; boundary="',
        "multipart/form-data; boundary=\x7f",
        "multipart/mixed; boundary=x",
    ):
        for path in (VOICES, "/predict", "/inference_sft", f"{VOICES}/import"):
            yield Case(f"{path} {declared!r}", "POST", path, whole, {"content-type": declared})
    broken = [
        b"--x\r\n\r\nno header\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n",
        b"--x\r\n: no name of a header\r\n\r\nvalue\r\n",
        b"--x\r\n" + b"X-Long: " + b"y" * 90_000 + b"\r\n\r\nvalue\r\n",
        b"--x\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(5_000)) + b"\r\nvalue\r\n",
        b"--x\n\nbare line feeds\n",
        _part("text", b"\xff\xfe\xfd"),
        _part("text", b"x" * 150_000),
        b"".join(_part(f"f{number}", b"") for number in range(1_000)),
    ]
    for path in (VOICES, "/predict", "/inference_sft"):
        for number, part in enumerate(broken):
            yield _form(path, part, param=None, name=f"{path} broken part {number}")
    for name in ("", "  ", "a/b", "..\\b", "\x00", "x" * 101, "alloy", "ALLOY", "\u202e"):
        named = (_part("name", name.encode()), CONSENT[1], _part("audio_sample", wav(spoken(4.0)), "a.wav"))
        yield _form(VOICES, *named, param="name", name=f"voice named {name[:9]!r}")
    for words in (b"", b" ", b"x" * 60_000):
        agreed = (CONSENT[0], _part("consent", words), _part("audio_sample", wav(spoken(4.0)), "a.wav"))
        yield _form(VOICES, *agreed, param="consent", name=f"consent of {len(words)}")
    for language in ("e", "english language", "../..", "x" * 99):
        parts = (*CONSENT, _part("language", language.encode()), _part("audio_sample", wav(spoken(4.0)), "a.wav"))
        yield _form(VOICES, *parts, param="language", name=f"language {language[:9]!r}")
    for text in (b"%zz", b"text=" + b"%ff", b"&" * 5_000, b"=", b"text=%20&speed=fast"):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        yield Case(f"form {text[:20]!r}", "POST", "/predict", text, headers)


MAGIC = (b"RIFF", b"fLaC", b"OggS", b"ID3\x04", b"\x1aE\xdf\xa3", b"\x00\x00\x00\x20ftyp", b"#!AMR\n", b"FORM")


def recordings() -> Iterator[Case]:
    """Uploads that are no voice."""
    dice = random.Random(SEED)
    real = wav(spoken(4.0))
    flac = encoded(spoken(4.0), "flac", "flac")
    endless = b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + real[8:40] + struct.pack("<I", 0xFFFFFFFF)
    uploads = {
        "nothing": b"",
        "text": b"I am a text.",
        "a playlist": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        "an HLS playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n",
        "a concatenation": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        "a picture": b"\x89PNG\r\n\x1a\n" + dice.randbytes(500),
        "a zip": _archive({"voice.json": b"{}"}),
        "a header alone": real[:44],
        "a header that promises four gigabytes": endless,
        "half a header": real[:20],
        "a cut flac": flac[:60],
        "silence": wav(spoken(4.0) * 0),
        "a click": real[:44] + real[20_000:22_000],
        "no channels": real[:22] + b"\x00\x00" + real[24:],
        "no rate": real[:24] + b"\x00\x00\x00\x00" + real[28:],
        "an unknown codec": real[:20] + b"\xff\x7f" + real[22:],
        "xml": b"<?xml version='1.0'?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>",
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    }
    for name, content in uploads.items():
        yield _form(VOICES, *CONSENT, _part("audio_sample", content, "../../a.wav"), param="audio_sample", name=name)
        if content:
            parts = (_part("text", b"Hello."), _part("prompt_wav", content, "a.wav"))
            yield _form("/predict", *parts, param="prompt_wav", name=f"prompt: {name}")
    for magic in MAGIC:
        noise = magic + dice.randbytes(400)
        yield _form(
            VOICES, *CONSENT, _part("audio_sample", noise, "a"), param="audio_sample", name=f"noise after {magic!r}"
        )


def _archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def _bomb(member: str, others: dict[str, bytes]) -> bytes:
    """An archive of a megabyte with a member of a gigabyte."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in others.items():
            archive.writestr(name, content)
        # A deflated megabyte of zeros, again and again, is a deflated gigabyte of zeros.
        archive.writestr(member, bytes(6 << 20))
    lying = bytearray(written.getvalue())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = lying.rindex(signature)
        lying[at + offset : at + offset + 4] = struct.pack("<I", BOMB_BYTES)
    return bytes(lying)


TOLD: dict[str, Any] = {
    "name": "Li",
    "language": "zh",
    "description": "",
    "transcript": "Hello.",
    "consent": {"by": "Li", "words": "I agree that my voice is used.", "at": 1.0},
}


def archives() -> Iterator[Case]:
    """Voices to import that were never exported."""
    recording = wav(spoken(4.0))
    good = _archive({"voice.json": json.dumps(TOLD).encode(), "recording.wav": recording})
    dice = random.Random(SEED)
    for _ in range(30):
        cut = dice.randrange(1, len(good) - 22)
        yield _imported(good[:cut], f"archive cut at {cut}")
    for _ in range(20):
        yield _imported(b"PK\x03\x04" + dice.randbytes(300), "noise after PK")
    told = json.dumps(TOLD).encode()
    contents: dict[str, dict[str, bytes]] = {
        "empty": {},
        "no recording": {"voice.json": told},
        "no description": {"recording.wav": recording},
        "names that climb": {"../voice.json": told, "/recording.wav": recording},
        "a folder": {"voice.json/": b"", "recording.wav/": b""},
        "a description of depth": {"voice.json": b"[" * 60_000, "recording.wav": recording},
        "a description of objects": {"voice.json": b'{"a":' * 10_000, "recording.wav": recording},
        "a description that is a number": {"voice.json": b"5", "recording.wav": recording},
        "digits": {"voice.json": told.replace(b"1.0", b"9" * 5_000), "recording.wav": recording},
        "a long description": {"voice.json": b" " * 70_000 + told, "recording.wav": recording},
        "no voice in it": {"voice.json": told, "recording.wav": b"text"},
        "silence": {"voice.json": told, "recording.wav": wav(spoken(4.0) * 0)},
        "two thousand members": {f"{number}": b"" for number in range(2_000)},
    }
    for name, members in contents.items():
        yield _imported(_archive(members), name)
    wrong: dict[str, list[Any]] = {
        "name": [None, 5, [], {}, "", "a/b", "x" * 500, "alloy"],
        "consent": [None, 5, [], {}, "x", {"by": "Li"}, {"by": "Li", "words": "", "at": 1}],
        "language": [5, [], "../.."],
    }
    for field, values in wrong.items():
        for value in values:
            changed = json.dumps({**TOLD, field: value}).encode()
            yield _imported(_archive({"voice.json": changed, "recording.wav": recording}), f"{field} {value!r:.20}")
    moments: list[Any] = ["soon", None, [], float("nan"), float("inf"), {}]
    for at in moments:
        changed = json.dumps({**TOLD, "consent": {**TOLD["consent"], "at": at}}).encode()
        yield _imported(_archive({"voice.json": changed, "recording.wav": recording}), f"consent at {at!r:.20}")
    yield _imported(_bomb("voice.json", {"recording.wav": recording}), "a bomb for a description")
    yield _imported(_bomb("recording.wav", {"voice.json": told}), "a bomb for a recording")
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        packed = _archive({"voice.json": told, "recording.wav": bytes(8 << 20)}, method)
        yield _imported(packed, f"a bomb by method {method}")


def _imported(content: bytes, name: str) -> Case:
    return _form(f"{VOICES}/import", _part("archive", content, "v.zip"), param=None, name=f"import: {name}")


NAMES = ("nobody", "..%2f..%2fetc%2fpasswd", "%2e%2e", "%00", "%ff%fe", "x" * 3_000, "'%20OR%201=1--", "%F0%9F%98%80")
OF_VOICES = (("GET", ""), ("DELETE", ""), ("GET", "/recording"), ("GET", "/export"))
OF_JOBS = (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/audio"), ("GET", "/subtitles.srt"))
WRONG_METHODS = (("GET", SPEECH), ("PUT", VOICES), ("DELETE", JOBS), ("PATCH", "/predict"), ("BREW", "/readyz"))


def paths() -> Iterator[Case]:
    """Names of what is not there, and questions that make no sense."""
    for name in NAMES:
        for method, suffix in OF_VOICES:
            yield Case(f"{method} voice {name[:9]}{suffix}", method, f"{VOICES}/{name}{suffix}")
        for method, suffix in OF_JOBS:
            yield Case(f"{method} job {name[:9]}{suffix}", method, f"{JOBS}/{name}{suffix}")
        yield Case(f"model {name[:9]}", "GET", f"/v1/models/{name}")
        yield Case(f"file {name[:9]}", "GET", f"/web/{name}")
    for value in ("x", "0", "-1", "1.5", "9" * 30, "", "null"):
        yield Case(f"chapter {value[:9]}", "GET", f"{JOBS}/job_1/audio?chapter={value}")
        yield Case(f"rate {value[:9]}", "POST", f"/v1/audio/encode?rate={value}", b"\x00\x00", param="rate")
    for value in ("midi", "", "../wav"):
        yield Case(f"encode {value}", "POST", f"/v1/audio/encode?response_format={value}", b"\x00\x00")
    yield Case("an odd number of bytes", "POST", "/v1/audio/encode", b"\x00")
    yield Case("no samples", "POST", "/v1/audio/encode")
    yield Case("a long wish", "GET", f"/v1/styles?text={'x' * 5_000}", param="text")
    for mode in ("vc", "", "..", "SFT", "sft%00"):
        yield Case(f"mode {mode}", "POST", f"/inference_{mode}", b"{}")
    for method, path in WRONG_METHODS:
        yield Case(f"{method} {path}", method, path)


def floods() -> Iterator[Case]:
    """More than anybody may send: bodies, texts, and lengths that are declared."""
    yield _json(SPEECH, {"input": "x" * 10_001}, "input", "a text beyond the engine's limit")
    yield _json(SPEECH, {"input": "x" * 2_000_000}, "", "a body beyond the limit")
    yield _json(BATCH, {"items": [{"input": "x" * 100_000}] * 30}, "", "a batch beyond the limit")
    yield _json(JOBS, {"input": "x. " * 500_000}, "", "a book beyond the limit")
    yield _form(VOICES, *CONSENT, _part("audio_sample", bytes(1 << 20), "a"), param=None, name="a recording too large")
    yield _form("/predict", _part("text", b"x" * 600_000), param=None, name="a form too large")
    for path in (SPEECH, "/predict", VOICES, f"{VOICES}/import", JOBS):
        yield Case(f"{path} declares a terabyte", "POST", path, b"{}", {"content-length": "1000000000000"}, "")


def messages() -> Iterator[str | bytes]:
    """What no session can follow."""
    for name, values in WRONG.items():
        if name in ("input", "voice"):
            continue
        for value in values:
            if value != "" or name in ("speed", "seed", "response_format"):
                yield json.dumps({"type": "session.config", name: value})
    texts: list[Any] = [5, None, [], {}, True]
    for text in texts:
        yield json.dumps({"type": "input.text", "text": text})
    kinds: list[Any] = [None, 5, [], "", "audio.start", "x" * 5_000]
    for kind in kinds:
        yield json.dumps({"type": kind})
    dice = random.Random(SEED)
    good = json.dumps({"type": "input.text", "text": "你好"})
    yield from (good[: dice.randrange(1, len(good))] for _ in range(20))
    yield from (dice.randbytes(20) for _ in range(5))
    yield from ("[" * 50_000, '{"type":' * 10_000, "null", "5", '"input.done"', "[]", '{"type": "input.text"}')


RAW = (
    b"\r\n\r\nnonsense\r\n\r\n",
    b"GET\x00 / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX\x00Y: z\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 200_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
)
"""What is no HTTP."""

GROUPS = (fields, bodies, forms, recordings, archives, paths, floods)


@functools.cache
def cases(group: Callable[[], Iterator[Case]]) -> tuple[Case, ...]:
    """The cases of a group."""
    return tuple(group())
