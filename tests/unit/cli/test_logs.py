"""`isoline logs`: of all replicas in order, of one, since a time, and on as they come."""

import threading
import time

import pytest

from isoline.cli.errors import UsedWronglyError
from isoline.cli.logs import parse_since
from isoline.objects import App, AppSpec, AppStatus, ObjectMeta
from isoline.objects.meta import Condition
from unit.cli.conftest import Isoline, Run


@pytest.fixture
def voice(isoline: Isoline) -> Isoline:
    item = App(metadata=ObjectMeta(name="voice", namespace="default"), spec=AppSpec(profile="voice"))
    isoline.do(isoline.source.apply([item]))
    now = time.time()
    isoline.add_log("voice-a", (now - 100, "a starts"), (now - 50, "a speaks [bold]"))
    isoline.add_log("voice-b", (now - 75, "b starts"))
    return isoline


def test_lines_of_all_replicas_are_in_order_of_time(voice: Isoline, run: Run) -> None:
    answer = run("logs", "voice")
    assert answer.out.splitlines() == ["voice-a  a starts", "voice-b  b starts", "voice-a  a speaks [bold]"]
    assert run("logs", "app/voice").out == answer.out


def test_lines_are_narrowed_by_replica_time_and_number(voice: Isoline, run: Run) -> None:
    assert run("logs", "voice", "--replica", "voice-b").out == "b starts\n"
    assert run("logs", "voice", "--since", "80s").out.splitlines() == ["voice-b  b starts", "voice-a  a speaks [bold]"]
    assert run("logs", "voice", "--tail", "1").out.splitlines() == ["voice-b  b starts", "voice-a  a speaks [bold]"]


def test_following_shows_what_comes_of_replicas_that_come_too(voice: Isoline, run: Run) -> None:
    def later() -> None:
        voice.write_log(voice.replicas[0].log, time.time(), "a goes on")
        voice.add_log("voice-c", (time.time(), "c starts"))

    timers = [threading.Timer(0.5, later), threading.Timer(3.0, lambda: voice.do(voice._server.stop()))]
    for timer in timers:
        timer.start()
    lines = run("logs", "-f", "voice", "--tail", "0").out.splitlines()
    for timer in timers:
        timer.join()
    assert "voice-a  a goes on" in lines


def test_no_line_at_all_is_explained(isoline: Isoline, run: Run) -> None:
    item = App(metadata=ObjectMeta(name="voice", namespace="default"), spec=AppSpec(profile="voice"))
    isoline.do(isoline.source.apply([item]))

    async def fail() -> None:
        failed = Condition(type="Running", status="False", reason="ImageNotRunnable", message="give a command")
        fine = Condition(type="Accepted", status="True", reason="Expanded", message="")
        isoline.source.set_status(item.key, AppStatus(phase="Failed", conditions=(fine, failed)))

    isoline.do(fail())
    answer = run("logs", "voice")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.splitlines() == ["there are no lines of voice", "  ImageNotRunnable: give a command"]


def test_what_is_not_there_is_said_with_what_is(voice: Isoline, run: Run) -> None:
    answer = run("logs", "voice", "--replica", "none")
    assert answer.code == 1
    assert "there are: voice-a, voice-b" in answer.err
    assert "there is no app or deployment default/other" in run("logs", "other").err


def test_times_are_durations_or_moments() -> None:
    assert abs(time.time() - 5400 - parse_since("1h30m")) < 5
    assert parse_since("1970-01-01T00:01:00+00:00") == 60
    with pytest.raises(UsedWronglyError, match="1h30m"):
        parse_since("yesterday")
