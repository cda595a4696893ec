"""The work queue: each key once, never twice at the same time, nothing forgotten."""

import asyncio

from isoline.controllers.queue import WorkQueue


async def test_a_key_that_is_added_twice_is_worked_on_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("a", "b", "a"):
        queue.add(key)

    assert [await queue.take(), await queue.take()] == ["a", "b"]
    queue.done("a")
    queue.done("b")
    assert not queue.busy


async def test_a_key_added_while_it_is_worked_on_comes_again_when_that_is_done() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await queue.take()
    queue.add("a")
    again = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert not again.done()

    queue.done("a")

    assert await again == "a"


async def test_idle_is_when_there_is_neither_a_key_nor_work() -> None:
    queue: WorkQueue[str] = WorkQueue()
    await queue.idle()
    queue.add("a")
    idle = asyncio.create_task(queue.idle())
    await queue.take()
    await asyncio.sleep(0)
    assert not idle.done()

    queue.done("a")

    await idle
