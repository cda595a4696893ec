"""What a process writes is kept with the time of each line, within a bounded space, and can be read and followed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from isoline.processes import LogLine, ProcessSpec, ProcessTable, follow_log, read_log
from isoline.processes.shim.logwriter import LogWriter

Python = Callable[..., ProcessSpec]
Eventually = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def writer(tmp_path: Path) -> LogWriter:
    return LogWriter(str(tmp_path), 1000, 3)


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


async def test_both_streams_are_kept_in_order_with_times(table: ProcessTable, python: Python) -> None:
    before = time.time()
    code = "import os\nfor n in range(3):\n os.write(1, b'out %d\\n' % n)\n os.write(2, b'err %d\\n' % n)"
    process = await table.start(python(code))
    await process.wait()
    lines = process.log.read()
    assert texts(lines) == ["out 0", "err 0", "out 1", "err 1", "out 2", "err 2"]
    assert all(before - 0.001 <= line.at <= time.time() for line in lines)


async def test_a_lot_of_output_at_once_loses_no_line(table: ProcessTable, python: Python) -> None:
    process = await table.start(python("for n in range(50_000): print(n)"))
    await process.wait()
    assert texts(process.log.read()) == [str(number) for number in range(50_000)]


async def test_a_later_process_of_the_same_name_goes_on_in_the_same_log(table: ProcessTable, python: Python) -> None:
    for word in ("one", "two"):
        await (await table.start(python(f"print({word!r})"))).wait()
    process = table.get("app")
    assert process is not None
    assert texts(process.log.read()) == ["one", "two"]
    assert process.log.last_words() == "one\ntwo"


def test_a_line_comes_whole_however_it_was_cut(writer: LogWriter, tmp_path: Path) -> None:
    for piece in (b"he", b"llo\nwor", b"ld\n\n", "é".encode()[:1], "é".encode()[1:], b"\n"):
        writer.feed(piece)
    assert texts(read_log(tmp_path)) == ["hello", "world", "", "é"]


def test_a_progress_bar_makes_a_line_of_each_state(writer: LogWriter, tmp_path: Path) -> None:
    for piece in (b"10 %\r20 %\r", b"30 %\r\n", b"windows\r", b"\nlast\r"):
        writer.feed(piece)
    writer.close()
    assert texts(read_log(tmp_path)) == ["10 %", "20 %", "30 %", "windows", "last"]


def test_an_endless_line_is_cut_and_the_end_without_newline_is_kept(tmp_path: Path) -> None:
    writer = LogWriter(str(tmp_path), 10**6, 2)
    writer.feed(b"x" * 40_000)
    writer.feed(b"tail")
    writer.close()
    assert [len(line.text) for line in read_log(tmp_path)] == [16384, 16384, 40_000 - 2 * 16384 + 4]


def test_bytes_that_are_no_text_do_no_harm(writer: LogWriter, tmp_path: Path) -> None:
    writer.feed(b"\xff\xfe\n")
    assert texts(read_log(tmp_path)) == ["\ufffd\ufffd"]


def test_rotation_bounds_the_space_and_keeps_the_newest(writer: LogWriter, tmp_path: Path) -> None:
    for number in range(200):
        writer.feed(b"line %03d\n" % number)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["1", "2", "current"]
    assert sum(file.stat().st_size for file in files) <= 3 * 1100
    lines = texts(read_log(tmp_path))
    assert lines == [f"line {number:03d}" for number in range(200 - len(lines), 200)]
    assert len(lines) > 50


def test_one_file_is_a_valid_number_of_files(tmp_path: Path) -> None:
    writer = LogWriter(str(tmp_path), 100, 1)
    for number in range(50):
        writer.feed(b"line %02d\n" % number)
    assert [file.name for file in tmp_path.iterdir()] == ["current"]
    assert (tmp_path / "current").stat().st_size <= 200


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("/dev/full")
    writer = LogWriter(str(tmp_path), 1000, 3)
    writer.feed(b"lost\n")
    assert writer.last_words() == "lost"


@pytest.mark.parametrize(("tail", "expected"), [(None, 60), (0, 0), (1, 1), (45, 45), (1000, 60)])
def test_tail_counts_lines_over_all_files(tmp_path: Path, tail: int | None, expected: int) -> None:
    writer = LogWriter(str(tmp_path), 1000, 5)
    for number in range(60):
        writer.feed(b"line %02d\n" % number)
    assert texts(read_log(tmp_path, tail=tail)) == [f"line {number:02d}" for number in range(60 - expected, 60)]


def test_since_leaves_older_lines_out(writer: LogWriter, tmp_path: Path) -> None:
    writer.feed(b"old\n")
    time.sleep(0.01)
    moment = time.time()
    writer.feed(b"new\n")
    assert texts(read_log(tmp_path, since=moment)) == ["new"]
    assert texts(read_log(tmp_path, since=moment, tail=5)) == ["new"]
    assert read_log(tmp_path, since=moment + 60) == []


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert read_log(tmp_path / "nowhere") == []


async def test_following_gives_every_line_once_through_many_rotations(
    writer: LogWriter, tmp_path: Path, eventually: Eventually
) -> None:
    writer.feed(b"line 000\n")
    got: list[str] = []

    async def follow() -> None:
        async for line in follow_log(tmp_path):
            got.append(line.text)
            if line.text == "line 299":
                return

    follower = asyncio.create_task(follow())
    async with asyncio.timeout(30):
        for number in range(1, 300):
            writer.feed(b"line %03d\n" % number)
            # Two rotations may pass between two looks, not so many that lines are thrown away unread.
            if number % 40 == 0:
                await eventually(lambda: len(got) > number)  # noqa: B023
        await follower
    assert got == [f"line {number:03d}" for number in range(300)]


async def test_following_begins_with_the_tail_and_may_begin_before_the_first_line(tmp_path: Path) -> None:
    async def first(count: int, tail: int | None) -> list[str]:
        got: list[str] = []
        async for line in follow_log(tmp_path, tail=tail):
            got.append(line.text)
            if len(got) == count:
                break
        return got

    early = asyncio.create_task(first(2, None))
    await asyncio.sleep(0.1)
    writer = LogWriter(str(tmp_path), 1000, 3)
    writer.feed(b"one\ntwo\n")
    async with asyncio.timeout(20):
        assert await early == ["one", "two"]
        late = asyncio.create_task(first(2, 1))
        await asyncio.sleep(0.1)
        writer.feed(b"three\n")
        assert await late == ["two", "three"]


async def test_a_follower_can_be_cancelled(writer: LogWriter, tmp_path: Path) -> None:
    async def follow() -> None:
        async for _ in follow_log(tmp_path):
            pass

    follower = asyncio.create_task(follow())
    await asyncio.sleep(0.1)
    follower.cancel()
    with pytest.raises(asyncio.CancelledError):
        await follower
