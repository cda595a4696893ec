"""What `isoline up` prints of events."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from isoline.cli.screen import Screen
from isoline.cluster.events import EventLog
from isoline.cluster.store import Store
from isoline.objects import Key


async def test_what_only_repeats_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    events = EventLog()
    replica = Key("Deployment", "default", "voice")
    machine = cast("Any", SimpleNamespace(source=SimpleNamespace(events=events)))
    for _ in range(2):
        events.warning(replica, "Failed", "before anybody looked")
    telling = asyncio.create_task(Screen()._tell_events(machine))
    for message in ("no such program", "no such program", "no such program", "no such folder"):
        await asyncio.sleep(0)
        events.warning(replica, "Failed", message)
        await asyncio.sleep(0.01)
    telling.cancel()
    out = capsys.readouterr().out
    assert out.count("no such program") == 1
    assert out.count("no such folder") == 1
    assert out.count("before anybody looked") == 1


@pytest.mark.parametrize("watched", [False, True])
async def test_who_has_no_manifests_is_told_where_they_go(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, watched: bool
) -> None:
    options = SimpleNamespace(directory=tmp_path if watched else None, state=tmp_path / "state")
    Screen()._summary(cast("Any", SimpleNamespace(store=Store(), options=options)))
    out = capsys.readouterr().out
    assert f"apply -f FILE --state {tmp_path}/state`" in out
    assert (f"put it into {tmp_path}, or" in out) == watched
