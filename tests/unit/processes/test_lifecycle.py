"""A process is started, runs in a world of its own, and ends with all that it started."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from isoline.processes import ExitStatus, Process, ProcessSpec, ProcessTable, StartError

Python = Callable[..., ProcessSpec]
Eventually = Callable[[Callable[[], object]], Awaitable[None]]

FOREVER = "import time; time.sleep(1000)"
IGNORES_SIGTERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1000)"

WAITS_FOR_OTHERS = """
import os, pathlib, signal, sys, time
told = pathlib.Path({told!r})
def told_to_stop(*_):
    (told / str(os.getpid())).touch()
    while len(list(told.iterdir())) < 3:
        time.sleep(0.01)
    sys.exit(0)
signal.signal(signal.SIGTERM, told_to_stop)
print("ready", flush=True)
time.sleep(1000)
"""
"""Ends when three of them have been told to."""

FAMILY = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
def python(code, **how):
    return subprocess.Popen([sys.executable, "-S", "-c", code], **how)
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)"
sleep = "s.Popen(['sleep', '1000'], start_new_session=True)"
daemon = f"import subprocess as s; child = {sleep}; print(child.pid, flush=True); child.wait()"
print(python(deaf).pid, python(deaf, start_new_session=True).pid, flush=True)
child = python(daemon, start_new_session=True, stdout=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline(), "ready", flush=True)
"""


def says(process: Process, text: str) -> Callable[[], bool]:
    return lambda: any(text in line.text for line in process.log.read())


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def test_a_started_process_is_alive_until_it_is_stopped(table: ProcessTable, python: Python) -> None:
    before = time.time()
    process = await table.start(python(FOREVER, labels={"app": "voice"}))

    assert (process.alive, process.exit_status) == (True, None)
    assert before <= process.started_at <= time.time()
    assert process.labels == {"app": "voice"}
    assert table.get("app") is process

    status = await process.stop()
    assert (status.code, status.signal, status.reason) == (None, signal.SIGTERM, "Error")
    assert (process.alive, process.exit_status) == (False, status)


@pytest.mark.parametrize(("code", "reason"), [(0, "Completed"), (3, "Error")])
async def test_the_exit_code_and_the_last_words_are_kept(
    table: ProcessTable, python: Python, code: int, reason: str
) -> None:
    process = await table.start(python(f"print('the end is near'); raise SystemExit({code})"))
    status = await process.wait()
    assert (status.code, status.signal, status.reason) == (code, None, reason)
    assert status.last_words == "the end is near"
    assert str(status) == f"exited with code {code}"


async def test_a_process_that_kills_itself_is_reported_with_its_signal(table: ProcessTable, python: Python) -> None:
    process = await table.start(python("import os; os.kill(os.getpid(), 6)"))
    status = await process.wait()
    assert (status.code, status.signal) == (None, signal.SIGABRT)
    assert str(status) == "was ended by SIGABRT"


async def test_nothing_of_the_control_planes_environment_is_inherited(
    table: ProcessTable, python: Python, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONTROL_PLANE_ONLY", "1")
    code = (
        "import os, sys; "
        "print(sorted(os.environ), os.getcwd(), sys.stdin.read() == '', sorted(os.listdir('/proc/self/fd')))"
    )
    process = await table.start(python(code, env={"KEY": "value", "LC_CTYPE": "C.UTF-8"}, cwd=tmp_path))
    await process.wait()
    # Descriptor 3 is the one that lists the folder.
    assert process.log.read()[0].text == f"['KEY', 'LC_CTYPE'] {tmp_path} True ['0', '1', '2', '3']"


async def test_signals_have_their_usual_meaning_in_the_process(table: ProcessTable) -> None:
    process = await table.start(ProcessSpec(name="app", argv=("grep", "-E", "SigBlk|SigIgn", "/proc/self/status")))
    await process.wait()
    masks = {name: int(mask, 16) for name, mask in (line.text.split() for line in process.log.read())}
    # Those above 31 are the C library's own: whoever started the tests may have left one ignored, for good.
    assert {name: mask & 0x7FFFFFFF for name, mask in masks.items()} == {"SigBlk:": 0, "SigIgn:": 0}


async def test_the_stop_signal_is_the_one_of_the_spec(
    table: ProcessTable, python: Python, eventually: Eventually
) -> None:
    code = "import signal, sys\nsignal.signal(2, lambda *_: sys.exit(7))\nprint('ready', flush=True)\nsignal.pause()"
    process = await table.start(python(code, stop_signal=signal.SIGINT))
    await eventually(says(process, "ready"))
    assert (await process.stop()).code == 7


async def test_one_that_ignores_the_stop_signal_is_killed_after_its_grace(
    table: ProcessTable, python: Python, eventually: Eventually
) -> None:
    process = await table.start(python(IGNORES_SIGTERM))
    await eventually(says(process, "deaf"))
    started = time.monotonic()
    status = await process.stop(grace=0.3)
    assert status.signal == signal.SIGKILL
    assert time.monotonic() - started >= 0.3


async def test_a_second_stop_shortens_the_grace_of_the_first(
    table: ProcessTable, python: Python, eventually: Eventually
) -> None:
    process = await table.start(python(IGNORES_SIGTERM))
    await eventually(says(process, "deaf"))
    first = asyncio.create_task(process.stop(grace=1000))
    await asyncio.sleep(0.05)
    assert (await process.stop(grace=0)).signal == signal.SIGKILL
    assert await first == process.exit_status


async def test_stopping_what_has_ended_gives_how_it_ended(table: ProcessTable, python: Python) -> None:
    process = await table.start(python("raise SystemExit(4)"))
    await process.wait()
    assert (await process.stop()).code == 4
    with pytest.raises(ProcessLookupError):
        process.send_signal(signal.SIGUSR1)


async def test_a_signal_reaches_the_program(table: ProcessTable, python: Python, eventually: Eventually) -> None:
    code = "import signal, sys\nsignal.signal(10, lambda *_: sys.exit(5))\nprint('ready', flush=True)\nsignal.pause()"
    process = await table.start(python(code))
    await eventually(says(process, "ready"))
    process.send_signal(signal.SIGUSR1)
    assert (await process.wait()).code == 5


@pytest.mark.parametrize("end", ["stop", "exit"])
async def test_all_descendants_end_with_it(
    table: ProcessTable, python: Python, end: str, eventually: Eventually
) -> None:
    """Also those that went to a session of their own, as daemons do, and those that ignore SIGTERM."""
    code = FAMILY + ("time.sleep(1000)" if end == "stop" else "os._exit(0)")
    process = await table.start(python(code, env={"PATH": os.environ["PATH"]}))
    await eventually(says(process, "ready"))
    if end == "stop":
        await process.stop()
    await process.wait()
    pids = [int(word) for line in process.log.read() for word in line.text.split() if word.isdecimal()]
    assert len(pids) == 4
    assert [pid for pid in pids if is_running(pid)] == []


async def test_many_may_wait_and_one_may_give_up(table: ProcessTable, python: Python) -> None:
    process = await table.start(python(FOREVER))
    waiters = [asyncio.create_task(process.wait()) for _ in range(5)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    status = await process.stop()
    results = await asyncio.gather(*waiters, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [status] * 4


async def test_a_name_is_used_by_one_living_process_at_a_time(table: ProcessTable, python: Python) -> None:
    first = await table.start(python(FOREVER))
    with pytest.raises(StartError, match="cannot start app: it is running already"):
        await table.start(python(FOREVER))
    assert table.get("app") is first
    await first.stop()
    second = await table.start(python("print('again')"))
    assert second.pid != first.pid
    assert (await second.wait()).code == 0


async def test_one_that_was_followed_by_another_still_knows_how_it_ended(
    table: ProcessTable, python: Python, eventually: Eventually
) -> None:
    first = await table.start(python("raise SystemExit(3)"))
    await eventually(lambda: not ProcessTable(table._directory).adopt())
    second = await table.start(python(FOREVER))
    assert (await first.wait()).code == 3
    assert (second.alive, second.exit_status) == (True, None)


async def test_stop_all_stops_them_at_the_same_time(
    table: ProcessTable, python: Python, eventually: Eventually, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    told.mkdir()
    for number in range(3):
        process = await table.start(python(WAITS_FOR_OTHERS.format(told=str(told)), name=f"app-{number}"))
        await eventually(says(process, "ready"))
    await table.stop_all(grace=60)
    assert [(await process.wait()).code for process in table.processes] == [0, 0, 0]


async def test_a_removed_process_leaves_nothing(table: ProcessTable, python: Python, tmp_path: Path) -> None:
    process = await table.start(python(FOREVER))
    with pytest.raises(RuntimeError, match="process app is running; stop it"):
        table.remove("app")
    await process.stop()
    table.remove("app")
    table.remove("app")
    assert list((tmp_path / "processes").iterdir()) == []
    assert table.get("app") is None


async def test_what_it_was_given_is_readable_by_its_owner_only(
    table: ProcessTable, python: Python, tmp_path: Path
) -> None:
    spec = python(FOREVER, env={"TOKEN": "hunter2"})
    await table.start(spec)
    folder = tmp_path / "processes" / "app"
    assert folder.stat().st_mode & 0o777 == 0o700
    holders = [file for file in folder.rglob("*") if file.is_file() and b"hunter2" in file.read_bytes()]
    assert [file.name for file in holders] == ["spec.json"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.rglob("*.json"))
    assert "hunter2" not in repr(spec)


async def test_a_spec_without_limits_has_them_all_enforced(table: ProcessTable, python: Python) -> None:
    assert (await table.start(python(FOREVER))).limits_enforced


@pytest.mark.parametrize("name", ["", "../etc", "a/b", ".hidden", "x" * 300])
def test_a_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a process"):
        ProcessSpec(name=name, argv=("true",))


def test_reasons_are_those_of_kubernetes() -> None:
    def reason(**how: object) -> str:
        return ExitStatus(**{"code": None, "signal": None, "at": 0.0, "last_words": ""} | how).reason  # type: ignore[arg-type]

    assert reason(code=0) == "Completed"
    assert reason(code=1) == "Error"
    assert reason(signal=9) == "Error"
    assert reason(signal=9, oom_killed=True) == "OOMKilled"
    assert reason() == "Unknown"


def test_it_works_on_uvloop_too(tmp_path: Path, python: Python) -> None:
    import uvloop

    async def run() -> ExitStatus:
        table = ProcessTable(tmp_path)
        process = await table.start(python(FOREVER))
        return await process.stop()

    assert uvloop.run(run()).signal == signal.SIGTERM
