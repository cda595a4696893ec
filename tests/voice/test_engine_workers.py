"""Workers that die, hang or are left, and what a listener hears of it: nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

import isoline_voice
from isoline_voice.engines.embedded import pool, process, worker
from isoline_voice.engines.embedded.engine import EmbeddedEngine
from isoline_voice.engines.protocol import Speech, SpeechRequest
from isoline_voice.errors import EngineUnavailableError, SynthesisTimeoutError
from voice.waveforms import samples_of, until

CHINESE = "今天天气很好，我们一起去公园玩吧。"
LONG_PIECE = SpeechRequest("好" * 90, speed=0.5)
"""One job with far more audio than the socket holds, so its worker is still at it when the first piece comes."""


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[EmbeddedEngine]:
    """One worker, which is not given up because the machine is busy."""
    engine = EmbeddedEngine(workers=1, progress_timeout=60)
    await engine.start()
    yield engine
    await engine.stop()


@pytest_asyncio.fixture
async def impatient() -> AsyncIterator[EmbeddedEngine]:
    """One worker that is given up after a third of a second without progress."""
    engine = EmbeddedEngine(workers=1, progress_timeout=0.3)
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
def patient_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was told to stop has all the time to do so that a busy machine may take."""
    monkeypatch.setattr(pool, "CANCEL_WITHIN", 60.0)


async def collect(speech: Speech) -> bytes:
    """All audio that is still to come."""
    return b"".join([piece async for piece in speech.pieces])


def only_worker(engine: EmbeddedEngine) -> int:
    """The process id of the one worker."""
    (pid,) = engine.pool.pids()
    return pid


async def until_free(engine: EmbeddedEngine) -> None:
    """Wait until the worker, or the one in its place, takes work."""
    await until(lambda: not engine.stats().busy and engine.stats().workers > 0)


def gone(pid: int) -> bool:
    """Whether the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_an_idle_worker_that_is_killed_is_replaced(engine: EmbeddedEngine) -> None:
    killed = only_worker(engine)
    os.kill(killed, signal.SIGKILL)
    assert len(await collect(await engine.speak(SpeechRequest(CHINESE)))) > 0
    assert only_worker(engine) != killed
    assert engine.stats().restarts == 1
    assert (await engine.health()).ok


async def test_a_worker_killed_before_its_first_sound_is_not_noticed(engine: EmbeddedEngine) -> None:
    whole = await collect(await engine.speak(SpeechRequest(CHINESE)))
    os.kill(only_worker(engine), signal.SIGSTOP)
    speech = await engine.speak(SpeechRequest(CHINESE))
    await asyncio.sleep(0.02)
    os.kill(only_worker(engine), signal.SIGKILL)
    assert len(await collect(speech)) == pytest.approx(len(whole), rel=0.02)


async def test_a_worker_killed_while_it_speaks_is_not_noticed_either(engine: EmbeddedEngine) -> None:
    whole = await collect(await engine.speak(LONG_PIECE))
    speech = await engine.speak(LONG_PIECE)
    first = await speech.pieces.__anext__()
    os.kill(only_worker(engine), signal.SIGKILL)
    audio = first + await collect(speech)
    assert engine.stats().restarts == 1
    assert len(audio) == pytest.approx(len(whole), rel=0.02)
    steepest = np.abs(np.diff(samples_of(whole))).max()
    assert np.abs(np.diff(samples_of(audio))).max() < 1.5 * steepest


async def test_a_worker_that_hangs_is_given_up_and_the_text_is_spoken_by_the_next(impatient: EmbeddedEngine) -> None:
    hanging = only_worker(impatient)
    os.kill(hanging, signal.SIGSTOP)
    assert len(await collect(await impatient.speak(SpeechRequest(CHINESE)))) > 0
    assert gone(hanging)


async def test_a_text_whose_worker_always_hangs_fails_and_the_next_one_is_spoken(impatient: EmbeddedEngine) -> None:
    speech = await impatient.speak(SpeechRequest(CHINESE))
    hung: set[int] = set()

    async def hang_each() -> None:
        while True:
            for pid in impatient.pool.pids():
                if pid not in hung:
                    hung.add(pid)
                    os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0)

    os.kill(only_worker(impatient), signal.SIGSTOP)
    hanging = asyncio.create_task(hang_each())
    with pytest.raises(SynthesisTimeoutError, match="each time"):
        await collect(speech)
    hanging.cancel()
    assert len(hung) >= pool.ATTEMPTS
    assert len(await collect(await impatient.speak(SpeechRequest(CHINESE)))) > 0
    assert impatient.stats().active == 0


@pytest.mark.usefixtures("patient_leaving")
async def test_leaving_frees_the_worker_without_restarting_it(engine: EmbeddedEngine) -> None:
    own = only_worker(engine)
    for _ in range(20):
        speech = await engine.speak(LONG_PIECE)
        await speech.pieces.__anext__()
        await speech.aclose()
        await speech.aclose()
        assert [piece async for piece in speech.pieces] == []
        await until_free(engine)
    assert only_worker(engine) == own
    assert engine.stats().restarts == 0
    assert engine.stats().active == 0
    assert len(await collect(await engine.speak(SpeechRequest(CHINESE)))) > 0


@pytest.mark.usefixtures("patient_leaving")
async def test_leaving_before_the_first_piece_frees_the_worker_too(engine: EmbeddedEngine) -> None:
    speeches = [await engine.speak(LONG_PIECE) for _ in range(5)]
    await asyncio.sleep(0)
    for speech in speeches:
        await speech.aclose()
    await until_free(engine)
    assert engine.stats().queued == 0
    assert engine.stats().restarts == 0
    assert len(await collect(await engine.speak(SpeechRequest(CHINESE)))) > 0


async def test_leaving_while_the_next_piece_is_awaited_ends_the_wait(engine: EmbeddedEngine) -> None:
    os.kill(only_worker(engine), signal.SIGSTOP)
    speech = await engine.speak(SpeechRequest(CHINESE))
    waiting = asyncio.create_task(collect(speech))
    await asyncio.sleep(0.01)
    await speech.aclose()
    assert await waiting == b""


async def test_a_worker_that_does_not_stop_when_it_is_told_is_replaced() -> None:
    engine = EmbeddedEngine(workers=1, progress_timeout=60)
    await engine.start()
    try:
        stuck = only_worker(engine)
        os.kill(stuck, signal.SIGSTOP)
        speech = await engine.speak(SpeechRequest(CHINESE))
        await asyncio.sleep(0.01)
        await speech.aclose()
        assert len(await collect(await engine.speak(SpeechRequest(CHINESE)))) > 0
        assert gone(stuck)
        assert engine.stats().restarts == 1
    finally:
        await engine.stop()


async def test_one_worker_speaks_many_texts_in_turn(engine: EmbeddedEngine) -> None:
    long = await engine.speak(SpeechRequest(CHINESE * 2_000))
    long_pieces = asyncio.create_task(collect(long))
    short = await asyncio.gather(*[engine.speak(SpeechRequest(CHINESE)) for _ in range(10)])
    lengths = {len(audio) for audio in await asyncio.gather(*map(collect, short))}
    assert max(lengths) < 1.05 * min(lengths)
    assert not long_pieces.done()
    await long.aclose()
    await long_pieces


async def test_a_worker_that_cannot_be_started_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_library", lambda: ("/nonexistent/libespeak-ng.so", "/nonexistent"))
    engine = EmbeddedEngine(workers=2)
    with pytest.raises(EngineUnavailableError, match="ends as soon as it is started"):
        await engine.start()
    assert not (await engine.health()).ok
    assert engine.pool.pids() == ()


async def test_when_no_worker_can_be_started_any_more_it_says_so(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_library", lambda: ("/nonexistent/libespeak-ng.so", "/nonexistent"))
    monkeypatch.setattr(pool, "TURN_TIMEOUT", 0.2)
    os.kill(only_worker(engine), signal.SIGKILL)
    await until(lambda: engine.stats().workers == 0)
    assert not (await engine.health()).ok
    with pytest.raises(SynthesisTimeoutError, match="became free"):
        await collect(await engine.speak(SpeechRequest(CHINESE)))
    monkeypatch.undo()
    await until_free(engine)
    assert len(await collect(await engine.speak(SpeechRequest(CHINESE)))) > 0


async def test_stopping_ends_the_processes(engine: EmbeddedEngine) -> None:
    pids = engine.pool.pids()
    await engine.stop()
    assert all(gone(pid) for pid in pids)


def test_workers_end_when_the_studio_is_killed() -> None:
    program = """
import asyncio, os, signal
from isoline_voice.engines.embedded.engine import EmbeddedEngine
async def main():
    engine = EmbeddedEngine(workers=2)
    await engine.start()
    print(*engine.pool.pids(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    source = str(Path(isoline_voice.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": source}, capture_output=True, check=False
    )
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    for pid in pids:
        while not gone(pid):  # the test's time limit is the limit
            os.sched_yield()


def test_the_worker_needs_nothing_but_the_standard_library() -> None:
    program = Path(str(worker.__file__))
    listing = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy, sys; runpy.run_path({str(program)!r}); print(*sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert not {"numpy", "asyncio", "json", "isoline_voice"} & set(listing.stdout.split())
