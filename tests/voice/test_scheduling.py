"""Whose turn it is when more is asked than can be spoken."""

from __future__ import annotations

import asyncio

import pytest

from isoline_voice.engines.embedded.engine import EmbeddedEngine
from isoline_voice.engines.fallback import FallbackEngine
from isoline_voice.engines.protocol import Priority, SpeechRequest, Voice
from isoline_voice.errors import (
    DeadlineError,
    EngineUnavailableError,
    InvalidRequestError,
    QueueFullError,
    SynthesisError,
    UnknownVoiceError,
)
from isoline_voice.scheduling.engine import ScheduledEngine
from isoline_voice.scheduling.scheduler import Limits, Scheduler, Slot
from isoline_voice.scheduling.turns import Turns
from voice.conftest import FakeEngine
from voice.waveforms import until

ONE = Limits(slots=1, waiting=8, waiting_a_client=4)


def test_clients_take_turns_whatever_they_have_queued() -> None:
    turns: Turns[str] = Turns()
    for item, client in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c"), ("b2", "b")):
        turns.add(item, client=client, priority="interactive")
    turns.remove("a2", client="a", priority="interactive")
    turns.remove("a2", client="a", priority="interactive")
    assert (len(turns), turns.waiting("a")) == (5, 2)
    assert [turns.next() for _ in range(6)] == ["a1", "b1", "c1", "a3", "b2", None]


def test_what_is_a_batch_waits_for_what_is_interactive() -> None:
    turns: Turns[str] = Turns()
    turns.add("book", client="a", priority="batch")
    turns.add("hello", client="b", priority="interactive")
    assert [turns.next(), turns.next()] == ["hello", "book"]


async def slots(scheduler: Scheduler, *asked: tuple[str, Priority]) -> list[str]:
    """The clients in the order in which they get the one slot, each keeping it for a moment."""
    order: list[str] = []

    async def hold(client: str, priority: Priority) -> None:
        slot = await scheduler.slot(client=client, priority=priority, deadline=None)
        order.append(client)
        await asyncio.sleep(0)
        slot.release()
        slot.release()

    await asyncio.gather(*(hold(*each) for each in asked))
    return order


async def test_a_client_with_many_requests_does_not_hold_up_one_with_a_single_one() -> None:
    many: tuple[str, Priority] = ("many", "interactive")
    order = await slots(Scheduler(ONE), many, many, many, many, ("single", "interactive"))
    assert order.index("single") <= 2


async def test_batches_leave_room_and_come_last() -> None:
    order = await slots(Scheduler(ONE), ("x", "interactive"), ("book", "batch"), ("y", "interactive"))
    assert order == ["x", "y", "book"]
    scheduler = Scheduler(Limits(slots=4))
    held = [await scheduler.slot(client="a", priority="batch", deadline=None) for _ in range(3)]
    fourth = asyncio.ensure_future(scheduler.slot(client="a", priority="batch", deadline=None))
    await asyncio.sleep(0)
    assert not fourth.done()
    await scheduler.slot(client="b", priority="interactive", deadline=None)
    held[0].release()
    assert isinstance(await fourth, Slot)


async def test_a_full_queue_says_when_to_come_back() -> None:
    scheduler = Scheduler(Limits(slots=1, waiting=3, waiting_a_client=2))
    slot = await scheduler.slot(client="a", priority="interactive", deadline=None)
    waiting = [
        asyncio.ensure_future(scheduler.slot(client=client, priority="interactive", deadline=None))
        for client in ("a", "a", "b")
    ]
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError, match="As many requests wait") as caught:
        await scheduler.slot(client="c", priority="interactive", deadline=None)
    assert caught.value.retry_after >= 1
    waiting.pop().cancel()
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError, match="2 of your requests"):
        await scheduler.slot(client="a", priority="interactive", deadline=None)
    slot.release()
    for waiter in waiting:
        (await waiter).release()
    assert (scheduler.active, scheduler.queued) == (0, 0)


async def test_a_deadline_passes_while_waiting_or_before_the_first_audio() -> None:
    engine = FakeEngine()
    engine.gate.clear()
    scheduled = ScheduledEngine(engine, ONE)
    speech = await scheduled.speak(SpeechRequest("hello"))
    with pytest.raises(DeadlineError, match="its turn"):
        await scheduled.speak(SpeechRequest("hello", deadline=0.02))
    await speech.aclose()
    late = await scheduled.speak(SpeechRequest("hello", deadline=0.02))
    with pytest.raises(DeadlineError, match="first audio"):
        await anext(aiter(late.pieces))
    engine.gate.set()
    early = await scheduled.speak(SpeechRequest("hello" * 10, deadline=5))
    assert len([piece async for piece in early.pieces]) == 5


@pytest.mark.parametrize("how", ["end", "close", "cancel", "fail"])
async def test_a_slot_is_free_again_however_a_speech_ends(how: str) -> None:
    engine = FakeEngine(break_after=1 if how == "fail" else None)
    scheduled = ScheduledEngine(engine, ONE)
    speech = await scheduled.speak(SpeechRequest("hello" * 4))
    waiting = asyncio.ensure_future(scheduled.speak(SpeechRequest("next")))
    match how:
        case "end":
            assert [piece async for piece in speech.pieces]
        case "close":
            await speech.aclose()
        case "fail":
            with pytest.raises(SynthesisError):
                _ = [piece async for piece in speech.pieces]
        case _:
            engine.gate.clear()
            taking = asyncio.ensure_future(anext(aiter(speech.pieces)))
            await asyncio.sleep(0)
            taking.cancel()
    await (await waiting).aclose()
    assert scheduled.stats().queued == 0


async def test_a_refused_request_and_a_waiter_who_leaves_hold_no_slot() -> None:
    engine = FakeEngine(refuse=EngineUnavailableError("down"))
    scheduled = ScheduledEngine(engine, ONE)
    for _ in range(3):
        with pytest.raises(EngineUnavailableError):
            await scheduled.speak(SpeechRequest("hello"))
    engine.refuse = None
    speech = await scheduled.speak(SpeechRequest("hello"))
    leaving = asyncio.ensure_future(scheduled.speak(SpeechRequest("hello")))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await speech.aclose()
    await (await scheduled.speak(SpeechRequest("hello"))).aclose()
    assert engine.active == 0


async def test_stopping_turns_away_who_waits() -> None:
    scheduled = ScheduledEngine(FakeEngine(), ONE)
    await scheduled.speak(SpeechRequest("hello"))
    waiting = asyncio.ensure_future(scheduled.speak(SpeechRequest("hello")))
    await asyncio.sleep(0)
    await scheduled.stop()
    with pytest.raises(EngineUnavailableError):
        await waiting
    with pytest.raises(EngineUnavailableError):
        await scheduled.speak(SpeechRequest("hello"))


async def test_leaving_frees_the_embedded_engine() -> None:
    engine = EmbeddedEngine(workers=1)
    scheduled = ScheduledEngine(engine, ONE)
    await scheduled.start()
    try:
        for _ in range(5):
            speech = await scheduled.speak(SpeechRequest("好" * 90, speed=0.5))
            await anext(aiter(speech.pieces))
            await speech.aclose()
            await until(lambda: not engine.stats().busy)
    finally:
        await scheduled.stop()


async def test_the_next_engine_speaks_when_the_first_cannot_and_the_listener_is_told() -> None:
    first, second = FakeEngine(name="gpu", refuse=EngineUnavailableError("no GPU")), FakeEngine(name="embedded")
    engine = FallbackEngine([first, second])
    speech = await engine.speak(SpeechRequest("hello"))
    assert [piece async for piece in speech.pieces]
    (warning,) = speech.warnings
    assert (warning.code, warning.en) == ("engine_fallback", "The engine gpu was passed over: no GPU")
    assert len(second.requests) == 1


async def test_an_engine_that_breaks_before_its_first_audio_is_passed_over_and_one_that_breaks_later_is_not() -> None:
    first, second = FakeEngine(name="gpu", break_after=0), FakeEngine(name="embedded")
    engine = FallbackEngine([first, second])
    speech = await engine.speak(SpeechRequest("hello" * 4))
    assert len([piece async for piece in speech.pieces]) == 2
    assert first.active == 0
    first.break_after = 1
    speech = await engine.speak(SpeechRequest("hello" * 4))
    with pytest.raises(SynthesisError):
        _ = [piece async for piece in speech.pieces]
    assert len(second.requests) == 1


async def test_the_preferred_engine_loses_no_audio_and_is_closed_when_the_listener_leaves() -> None:
    first = FakeEngine(name="gpu")
    engine = FallbackEngine([first, FakeEngine(name="embedded")])
    speech = await engine.speak(SpeechRequest("hello" * 8))
    assert len([piece async for piece in speech.pieces]) == 4
    assert speech.warnings == ()
    await (await engine.speak(SpeechRequest("hello"))).aclose()
    assert first.active == 0


async def test_a_request_that_is_wrong_is_not_tried_elsewhere_and_a_voice_may_be() -> None:
    first = FakeEngine(name="gpu", refuse=InvalidRequestError("too long", param="input"))
    second = FakeEngine(name="embedded")
    engine = FallbackEngine([first, second])
    with pytest.raises(InvalidRequestError, match="too long"):
        await engine.speak(SpeechRequest("hello"))
    first.refuse = UnknownVoiceError("alloy", ("lili",))
    assert (await engine.speak(SpeechRequest("hello"))).voice == Voice("alloy", "Alloy", "en", "fake", "A tone.")
    with pytest.raises(UnknownVoiceError):
        await FallbackEngine([first, FakeEngine()]).speak(SpeechRequest("hello", voice="bob"))


async def test_a_studio_is_ready_while_one_engine_is() -> None:
    first, second = FakeEngine(name="gpu", ok=False), FakeEngine(name="embedded")
    engine = FallbackEngine([first, second])
    await engine.start()
    assert (await engine.health()).ok
    second.ok = False
    health = await engine.health()
    assert not health.ok
    assert "gpu: no worker yet" in health.detail
    assert [voice.id for voice in engine.voices()] == ["alloy"]
    assert engine.stats().workers == 2
    await engine.stop()
