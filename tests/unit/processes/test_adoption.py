"""Processes go on when the control plane is killed, and its next run finds them, and only them, again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from isoline.processes import ProcessSpec, ProcessTable
from isoline.processes.shim.system import start_ticks

Python = Callable[..., ProcessSpec]
Eventually = Callable[[Callable[[], object]], Awaitable[None]]

FOREVER = "import time; print('up', flush=True); time.sleep(1000)"

CONTROL_PLANE = """
import asyncio, sys
from pathlib import Path
from isoline.processes import ProcessSpec, ProcessTable

async def main():
    table = ProcessTable(Path(sys.argv[1]))
    for number, code in enumerate(sys.argv[2:]):
        process = await table.start(ProcessSpec(name=f"app-{number}", argv=(sys.executable, "-S", "-c", code)))
        print(process.pid, flush=True)
    print("done", flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""


def run_control_plane(directory: Path, *codes: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CONTROL_PLANE, str(directory), *codes],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def control_plane(directory: Path, *codes: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A control plane of its own that has started a process for each of `codes`."""
    plane = run_control_plane(directory, *codes)
    assert plane.stdout is not None
    pids = [int(plane.stdout.readline()) for _ in codes]
    assert plane.stdout.readline() == "done\n"
    return plane, pids


def end(plane: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> None:
    os.killpg(plane.pid, number)
    plane.wait()
    assert plane.stdout is not None
    plane.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
async def test_a_killed_control_plane_takes_nothing_with_it(
    table: ProcessTable, tmp_path: Path, number: signal.Signals
) -> None:
    """SIGINT goes to the whole process group, as Ctrl-C in a terminal does; SIGHUP, as when the terminal closes."""
    plane, pids = control_plane(tmp_path / "processes", FOREVER, FOREVER)
    end(plane, number)

    adopted = table.adopt()
    assert [process.pid for process in adopted] == pids
    assert [process.name for process in adopted] == ["app-0", "app-1"]
    assert all(process.alive for process in adopted)
    assert adopted[0].spec.argv[-1] == FOREVER

    assert (await adopted[0].stop()).signal == signal.SIGTERM
    assert adopted[1].alive


async def test_what_ended_while_nobody_looked_tells_how(
    table: ProcessTable, tmp_path: Path, eventually: Eventually
) -> None:
    code = "import sys; sys.stdin.read(); print('too bad'); sys.exit(9)"
    plane, _ = control_plane(tmp_path / "processes", code)
    end(plane)
    await eventually(lambda: not table.adopt())
    dead = table.get("app-0")
    assert dead is not None
    assert dead.exit_status is not None
    assert (dead.exit_status.code, dead.exit_status.last_words) == (9, "too bad")
    assert await dead.wait() == dead.exit_status


async def test_adopting_twice_gives_the_same_processes(table: ProcessTable, python: Python) -> None:
    process = await table.start(python(FOREVER))
    assert table.adopt() == [process]
    assert table.adopt() == [process]


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "1000"], start_new_session=True)


def rewrite_state(folder: Path, **changes: object) -> None:
    path = folder / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


async def test_a_recycled_pid_is_not_taken_for_ours(table: ProcessTable, tmp_path: Path, python: Python) -> None:
    await (await table.start(python("print('first life')"))).wait()
    folder = tmp_path / "processes" / "app"
    (folder / "exit.json").unlink()
    with sleeper() as stranger:
        # The pids of the dead now belong to somebody else, who started later.
        ticks = start_ticks(stranger.pid)
        assert ticks is not None
        mine = {"pid": stranger.pid, "start_ticks": ticks - 1}
        rewrite_state(folder, **mine, shim_pid=stranger.pid, shim_start_ticks=ticks - 1)

        later = ProcessTable(tmp_path / "processes")
        assert later.adopt() == []
        dead = later.get("app")
        assert dead is not None
        assert not dead.alive
        with pytest.raises(ProcessLookupError):
            dead.send_signal(signal.SIGKILL)
        assert (await dead.stop()).last_words == "first life"
        assert stranger.poll() is None
        stranger.kill()


async def test_after_a_reboot_no_pid_means_anything(table: ProcessTable, tmp_path: Path, python: Python) -> None:
    process = await table.start(python(FOREVER))
    rewrite_state(tmp_path / "processes" / "app", boot_id="another boot")
    later = ProcessTable(tmp_path / "processes")
    assert later.adopt() == []
    dead = later.get("app")
    assert dead is not None
    assert dead.exit_status is not None
    assert (dead.exit_status.code, dead.exit_status.signal, dead.exit_status.reason) == (None, None, "Unknown")
    assert process.alive


async def test_without_its_shim_nothing_is_left(
    table: ProcessTable, tmp_path: Path, python: Python, eventually: Eventually
) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '1000']).pid, flush=True); time.sleep(1000)"
    process = await table.start(python(code, env={"PATH": os.environ["PATH"]}))
    await eventually(process.log.read)
    grandchild = int(process.log.read()[0].text)
    shim_pid = json.loads((tmp_path / "processes" / "app" / "state.json").read_text())["shim_pid"]

    os.kill(shim_pid, signal.SIGKILL)
    status = await process.wait()

    assert status.signal == signal.SIGKILL
    assert status.last_words == str(grandchild)
    await eventually(lambda: start_ticks(grandchild) is None)
    assert json.loads((tmp_path / "processes" / "app" / "exit.json").read_text())["signal"] == signal.SIGKILL


async def test_a_start_cut_short_by_a_kill_is_found_or_never_happened(tmp_path: Path, eventually: Eventually) -> None:
    """The control plane is killed at moments spread over the start of a process."""
    for step in range(8):
        directory = tmp_path / str(step)
        plane = run_control_plane(directory, FOREVER)
        spec = directory / "app-0" / "spec.json"
        await eventually(spec.exists)
        await asyncio.sleep(step * 0.005)
        end(plane)

        table = ProcessTable(directory)
        for process in table.adopt():
            assert process.alive
            assert (await process.stop(grace=5)).signal == signal.SIGTERM
        table.remove("app-0")


async def test_two_tables_side_by_side_do_not_mix(tmp_path: Path, python: Python) -> None:
    one, two = ProcessTable(tmp_path / "one"), ProcessTable(tmp_path / "two")
    first, second = await one.start(python(FOREVER)), await two.start(python(FOREVER))
    assert first.pid != second.pid
    await one.stop_all(grace=5)
    assert not first.alive
    assert second.alive
    assert ProcessTable(tmp_path / "two").adopt()[0].pid == second.pid
    await two.stop_all(grace=5)


async def test_a_folder_that_is_not_ours_is_left_alone(table: ProcessTable, tmp_path: Path) -> None:
    folder = tmp_path / "processes" / "notes"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text("{not json")
    assert table.adopt() == []
    assert table.processes == []
    assert (folder / "spec.json").read_text() == "{not json"
