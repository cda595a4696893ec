"""The GPU worker: `python -m isoline_voice.engines.cosyvoice.worker FOLDER`, with a socket on standard input.

It loads the model, says READY with the rate, then speaks one job after the other. After the GPU has run out of memory
it ends: the studio starts another one.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading

from isoline_voice.engines.cosyvoice.frames import (
    AUDIO,
    CANCEL,
    DONE,
    FAILED,
    HEADER,
    JOB,
    READY,
    Job,
    frame,
    job_of,
    json_frame,
)
from isoline_voice.engines.cosyvoice.model import CosyVoiceModel, OutOfMemoryError

OUT_OF_MEMORY, BROKEN, NO_MODEL = "out_of_memory", "broken", "no_model"


def main() -> None:
    """Run until the studio goes away; Ctrl-C in the terminal is the studio's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=os.dup(0))
    os.dup2(2, 1)  # what the model prints is log
    try:
        model = CosyVoiceModel(sys.argv[1])
    except Exception as error:
        connection.sendall(json_frame(FAILED, {"code": NO_MODEL, "message": f"{type(error).__name__}: {error}"}))
        raise SystemExit(1) from error
    connection.sendall(json_frame(READY, model.rate))
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, model, jobs), daemon=True).start()
    while True:
        _speak(connection, model, jobs.get())


def _listen(connection: socket.socket, model: CosyVoiceModel, jobs: queue.SimpleQueue[Job]) -> None:
    with connection.makefile("rb") as stream:
        while header := stream.read(HEADER.size):
            kind, length = HEADER.unpack(header)
            payload = stream.read(length)
            if kind == JOB:
                jobs.put(job_of(payload))
            elif kind == CANCEL:
                model.cancel()
    os._exit(0)  # the studio is gone; the model's threads would keep the process


def _speak(connection: socket.socket, model: CosyVoiceModel, job: Job) -> None:
    try:
        for pcm in model.speak(job):
            connection.sendall(frame(AUDIO, pcm))
    except OutOfMemoryError as error:
        connection.sendall(json_frame(FAILED, {"code": OUT_OF_MEMORY, "message": str(error)}))
        os._exit(1)
    except Exception as error:
        connection.sendall(json_frame(FAILED, {"code": BROKEN, "message": f"{type(error).__name__}: {error}"}))
    else:
        connection.sendall(frame(DONE))


if __name__ == "__main__":
    main()
