"""The worker program: reads jobs from a socket on its standard input, speaks them with espeak-ng, writes PCM back.

espeak-ng is licensed under the GPL-3. It is loaded here and nowhere else: this file runs as a process of its own that
the studio talks to over a socket, with no code or memory shared. The library is also one global object, so a process
can speak one text at a time; the pool starts one process a core.

The file is run by its path with site-packages off (`python -I -S worker.py LIBRARY DATA`), so it imports the standard
library only, and little of it: it is up in a few hundredths of a second and stays small.

To the worker: a kind byte, then for JOB a header (`JOB_HEADER`), the voice's name and the text, in UTF-8; CANCEL has no
body and is ignored when nothing is being spoken. From the worker: frames of `FRAME_HEADER` and a payload. READY once
(the sample rate as text), AUDIO any number of times, and for each job exactly one DONE (spoken or cancelled) or FAILED
(the reason as text).
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import struct
import sys
from typing import NamedTuple

JOB, CANCEL = b"J", b"C"
READY, AUDIO, DONE, FAILED = range(4)
FRAME_HEADER = struct.Struct("<BI")
JOB_HEADER = struct.Struct("<HBBBBI")

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_BUFFER_MILLISECONDS = 40
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_SEED = 1
_WARM_UP = (b"sit/cmn", b"gmw/en-US")


class Job(NamedTuple):
    """What to speak and how, in espeak-ng's own units: words a minute, and 0 to 100 for volume, pitch and its range."""

    voice: str
    text: str
    rate: int = 175
    volume: int = 100
    pitch: int = 50
    range: int = 50

    def to_bytes(self) -> bytes:
        """The job as it goes over the socket, kind byte included."""
        voice, text = self.voice.encode(), self.text.encode()
        header = JOB_HEADER.pack(self.rate, self.volume, self.pitch, self.range, len(voice), len(text))
        return JOB + header + voice + text


class Speaker:
    """espeak-ng in this process, writing what it speaks to a socket as it speaks."""

    def __init__(self, library: str, data: str, connection: socket.socket) -> None:
        self._connection = connection
        self._library = ctypes.CDLL(library)
        rate = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MILLISECONDS, data.encode(), _DO_NOT_EXIT
        )
        if rate <= 0:
            raise SystemExit(f"espeak-ng does not start with the data in {data}")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))  # it takes the time of day: nothing would repeat
        callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._callback = callback_type(self._heard)  # ctypes frees it once nothing here holds it
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = b""
        for voice in _WARM_UP:
            self._choose(voice)
        self._send(READY, str(rate).encode())

    def serve(self) -> None:
        """Speak jobs until the other side closes the socket."""
        while True:
            kind = self._receive(1)
            if kind == JOB:
                rate, volume, pitch, pitch_range, voice, text = JOB_HEADER.unpack(self._receive(JOB_HEADER.size))
                self._speak(self._receive(voice), self._receive(text), (rate, volume, pitch, pitch_range))

    def _speak(self, voice: bytes, text: bytes, settings: tuple[int, int, int, int]) -> None:
        if not self._choose(voice):
            self._send(FAILED, b"there is no voice " + voice)
            return
        for parameter, value in zip((_RATE, _VOLUME, _PITCH, _RANGE), settings, strict=True):
            self._library.espeak_SetParameter(parameter, value, 0)
        failed = self._library.espeak_Synth(
            text + b"\0", len(text) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        if failed:
            self._send(FAILED, b"espeak-ng error %d" % failed)
        else:
            self._send(DONE)

    def _choose(self, voice: bytes) -> bool:
        if voice != self._voice:
            self._voice = voice if self._library.espeak_SetVoiceByName(voice) == 0 else b""
        return bool(self._voice)

    def _heard(self, samples: int | None, count: int, _events: int | None) -> int:
        """Called by espeak-ng with each buffer; 1 makes it stop."""
        if samples and count > 0:
            self._send(AUDIO, ctypes.string_at(samples, 2 * count))
        if select.select([self._connection], [], [], 0)[0]:
            return int(self._receive(1) == CANCEL)
        return 0

    def _send(self, kind: int, payload: bytes = b"") -> None:
        try:
            self._connection.sendall(FRAME_HEADER.pack(kind, len(payload)) + payload)
        except OSError:
            os._exit(0)  # the studio is gone; an exception cannot leave a C callback

    def _receive(self, size: int) -> bytes:
        received = b""
        while len(received) < size:
            try:
                part = self._connection.recv(size - len(received))
            except OSError:
                part = b""
            if not part:
                os._exit(0)
            received += part
        return received


def main() -> None:
    """Run until the studio goes away; Ctrl-C in the terminal is the studio's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    library, data = sys.argv[1:3]
    Speaker(library, data, socket.socket(fileno=0)).serve()


if __name__ == "__main__":
    main()
