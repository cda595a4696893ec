"""The source for one machine: three layers, identities, children, and what survives a restart."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isoline.cluster.database import Table
from isoline.cluster.local import LocalSource
from isoline.cluster.source import Source
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.objects import App, AppSpec, AppStatus, ConfigMap, Key, Object, ObjectMeta, Secret, SecretValue
from unit.cluster.conftest import Eventually, Starter

APP = Key("App", "default", "voice")


def config_map(name: str, value: str = "1", **labels: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace="default", labels=labels), data={"value": value})


def app(name: str = "voice", profile: str = "voice") -> App:
    return App(metadata=ObjectMeta(name=name, namespace="default"), spec=AppSpec(profile=profile))


def document(name: str, value: str = "1") -> str:
    return f'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: "{value}"\n'


def key(name: str) -> Key:
    return Key("ConfigMap", "default", name)


def value(source: LocalSource, name: str) -> str | None:
    item = source.store.get(key(name))
    return item.data["value"] if isinstance(item, ConfigMap) else None


def found(source: LocalSource, wanted: Key) -> Object:
    item = source.store.get(wanted)
    assert item is not None
    return item


async def actions(source: LocalSource, *items: Object) -> list[str]:
    return [result.action for result in await source.apply(items)]


async def test_it_is_a_source(start: Starter) -> None:
    source: Source = await start()
    assert source.synced.is_set()


async def test_a_new_object_gets_an_identity(start: Starter) -> None:
    source = await start()
    assert await actions(source, config_map("a")) == ["created"]
    metadata = found(source, key("a")).metadata
    assert len(metadata.uid) == 36
    assert metadata.generation == 1
    assert metadata.resource_version
    assert (metadata.creation_timestamp or "").endswith("Z")


async def test_only_what_is_asked_for_counts_generations(start: Starter) -> None:
    source = await start()
    await source.apply([app()])
    before = found(source, APP).metadata
    assert await actions(source, app()) == ["unchanged"]
    labelled = app().with_metadata(labels={"a": "b"})
    assert await actions(source, labelled) == ["configured"]
    assert source.set_status(APP, AppStatus(phase="Ready"))
    assert found(source, APP).metadata.generation == 1
    assert await actions(source, app(profile="other")) == ["configured"]
    after = found(source, APP).metadata
    assert (after.generation, after.uid, after.creation_timestamp) == (2, before.uid, before.creation_timestamp)
    assert int(after.resource_version) > int(before.resource_version)


async def test_a_dry_run_tells_and_changes_nothing(start: Starter) -> None:
    source = await start()
    (result,) = await source.apply([config_map("a")], dry_run=True)
    assert result.action == "created"
    await source.apply([config_map("b")])
    (result,) = await source.delete([key("b")], dry_run=True)
    assert result.action == "deleted"
    assert [item.metadata.name for item in source.store.of_kind("ConfigMap")] == ["b"]


async def test_a_status_is_kept_by_what_is_applied_and_never_taken_from_it(start: Starter) -> None:
    source = await start()
    await source.apply([app()])
    source.set_status(APP, AppStatus(phase="Ready"))
    with_status = App(
        metadata=ObjectMeta(name="voice", namespace="default", uid="mine", resource_version="7"),
        spec=AppSpec(profile="other"),
        status=AppStatus(phase="Failed"),
    )
    await source.apply([with_status])
    item = found(source, APP)
    assert isinstance(item, App)
    assert (item.status.phase, item.spec.profile) == ("Ready", "other")
    assert item.metadata.uid != "mine"


async def test_a_status_of_nothing_is_refused(start: Starter) -> None:
    source = await start()
    assert not source.set_status(APP, AppStatus(phase="Ready"))


async def test_an_object_without_a_name_is_refused(start: Starter) -> None:
    source = await start()
    (result,) = await source.apply([config_map("")])
    assert (result.action, "metadata.name" in result.note) == ("refused", True)


async def test_what_a_file_says_wins_and_commands_are_told_so(start: Starter, manifests: Path) -> None:
    (manifests / "a.yaml").write_text(document("a"))
    source = await start()
    (result,) = await source.apply([config_map("a", "2")])
    assert (result.action, result.note) == ("refused", "managed by file a.yaml: change it there")
    (result,) = await source.delete([key("a")])
    assert (result.action, result.note) == ("refused", "managed by file a.yaml: remove it there")
    assert value(source, "a") == "1"


async def test_what_was_applied_shows_again_when_the_file_goes(
    start: Starter, manifests: Path, eventually: Eventually
) -> None:
    source = await start()
    await source.apply([config_map("a", "applied")])
    (manifests / "a.yaml").write_text(document("a", "file"))
    await eventually(lambda: value(source, "a") == "file")
    uid = found(source, key("a")).metadata.uid
    (manifests / "a.yaml").unlink()
    await eventually(lambda: value(source, "a") == "applied")
    assert found(source, key("a")).metadata.uid == uid


async def test_deleting_what_is_not_there_says_so(start: Starter) -> None:
    source = await start()
    assert [result.action for result in await source.delete([key("a")])] == ["not found"]


async def test_an_object_made_anew_is_another_object(start: Starter) -> None:
    source = await start()
    await source.apply([app()])
    source.set_status(APP, AppStatus(phase="Ready"))
    before = found(source, APP)
    await source.delete([APP])
    await source.apply([app()])
    after = found(source, APP)
    assert isinstance(after, App)
    assert after.metadata.uid != before.metadata.uid
    assert after.status.phase == ""


async def test_children_become_exactly_what_is_desired(start: Starter) -> None:
    source = await start()
    await source.apply([app()])

    async def reconcile(*desired: Object) -> dict[str, str]:
        results = await source.reconcile_children(APP, desired, manager="apps")
        return {result.key.name: result.action for result in results}

    assert await reconcile(config_map("a"), config_map("b")) == {"a": "created", "b": "created"}
    assert await reconcile(config_map("a"), config_map("b")) == {"a": "unchanged", "b": "unchanged"}
    position = source.store.position
    assert await reconcile(config_map("a"), config_map("b")) == {"a": "unchanged", "b": "unchanged"}
    assert source.store.position == position
    assert await reconcile(config_map("a", "2"), config_map("c")) == {"a": "configured", "c": "created", "b": "deleted"}
    assert (value(source, "a"), value(source, "b"), value(source, "c")) == ("2", None, "1")
    (reference,) = found(source, key("a")).metadata.owner_references
    assert (reference.kind, reference.name, reference.controller) == ("App", "voice", True)
    assert reference.uid == found(source, APP).metadata.uid


async def test_two_managers_of_one_owner_leave_each_other_alone(start: Starter) -> None:
    source = await start()
    await source.apply([app()])
    await source.reconcile_children(APP, [config_map("a")], manager="apps")
    await source.reconcile_children(APP, [config_map("b")], manager="certificates")
    (result,) = await source.reconcile_children(APP, [config_map("b", "2")], manager="certificates")
    assert result.action == "configured"
    results = await source.reconcile_children(APP, [config_map("a", "2"), config_map("b")], manager="apps")
    assert [(result.action, result.note) for result in results] == [
        ("configured", ""),
        ("refused", "belongs to App default/voice"),
    ]
    assert (value(source, "a"), value(source, "b")) == ("2", "2")


async def test_children_go_with_their_owner_and_take_theirs_along(start: Starter) -> None:
    source = await start()
    await source.apply([app()])
    await source.reconcile_children(APP, [config_map("child")], manager="apps")
    await source.reconcile_children(key("child"), [config_map("grandchild")], manager="workloads")
    position = source.store.position
    await source.delete([APP])
    assert source.store.count("ConfigMap") == 0
    assert [change.key.name for change in source.store.changes(position)] == ["voice", "child", "grandchild"]


async def test_children_of_a_removed_file_go_with_it(start: Starter, manifests: Path, eventually: Eventually) -> None:
    (manifests / "a.yaml").write_text(document("owner"))
    source = await start()
    await source.reconcile_children(key("owner"), [config_map("child")], manager="apps")
    (manifests / "a.yaml").unlink()
    await eventually(lambda: source.store.count("ConfigMap") == 0)


async def test_an_owner_that_is_gone_gets_no_children(start: Starter) -> None:
    source = await start()
    assert await source.reconcile_children(APP, [config_map("a")], manager="apps") == []
    assert source.store.get(key("a")) is None


async def test_a_persons_own_version_shadows_a_controllers(start: Starter) -> None:
    source = await start()
    await source.apply([app()])
    await source.reconcile_children(APP, [config_map("a", "made")], manager="apps")
    await source.apply([config_map("a", "own")])
    (result,) = await source.reconcile_children(APP, [config_map("a", "made anew")], manager="apps")
    assert result.note == "one was applied by command, which counts"
    assert value(source, "a") == "own"
    await source.delete([APP])
    assert value(source, "a") == "own"
    await source.apply([app()])
    await source.reconcile_children(APP, [config_map("a", "made")], manager="apps")
    (result,) = await source.delete([key("a")])
    assert result.note == "a controller's own version takes its place"
    assert value(source, "a") == "made"


async def test_a_controllers_own_objects_belong_to_it(start: Starter) -> None:
    source = await start()
    await source.apply([config_map("a")], origin="certificates")
    (result,) = await source.apply([config_map("a", "2")], origin="scaling")
    assert (result.action, result.note) == ("refused", "belongs to certificates")
    (result,) = await source.delete([key("a")], origin="scaling")
    assert result.action == "refused"
    (result,) = await source.delete([key("a")], origin="certificates")
    assert result.action == "deleted"


async def test_everything_is_there_after_a_restart(start: Starter, manifests: Path) -> None:
    (manifests / "a.yaml").write_text(document("a"))
    source = await start()
    await source.apply([app(), config_map("b")])
    await source.reconcile_children(APP, [config_map("child")], manager="apps")
    await source.apply([config_map("c")], origin="certificates")
    source.set_status(APP, AppStatus(phase="Ready"))

    def everything(source: LocalSource) -> list[Object]:
        objects = [*source.store.of_kind("ConfigMap"), *source.store.of_kind("App")]
        return sorted((item.with_metadata(resource_version="") for item in objects), key=lambda item: item.key)

    before = everything(source)
    source = await start()
    assert everything(source) == before
    (result,) = await source.reconcile_children(APP, [config_map("child")], manager="apps")
    assert result.action == "unchanged"


async def test_a_file_changed_while_nobody_looked_is_the_same_object_in_a_new_generation(
    start: Starter, manifests: Path
) -> None:
    (manifests / "a.yaml").write_text(document("a"))
    before = found(await start(), key("a")).metadata
    (manifests / "a.yaml").write_text(document("a", "22"))
    after = found(await start(), key("a")).metadata
    assert (after.uid, after.creation_timestamp, after.generation) == (before.uid, before.creation_timestamp, 2)


async def test_what_lost_its_owner_while_nobody_looked_is_cleared_away(start: Starter, manifests: Path) -> None:
    (manifests / "a.yaml").write_text(document("owner"))
    source = await start()
    await source.reconcile_children(key("owner"), [config_map("child")], manager="apps")
    (manifests / "a.yaml").unlink()
    source = await start()
    assert source.store.count("ConfigMap") == 0
    source = await start()
    assert source.store.count("ConfigMap") == 0


async def test_secrets_are_kept_and_not_shown(start: Starter, state: StateFolder) -> None:
    source = await start()
    secret = Secret(
        metadata=ObjectMeta(name="s", namespace="default"), data={"key": SecretValue(b"hunter2")}, type="Opaque"
    )
    await source.apply([secret])
    assert "hunter2" not in repr(found(source, secret.key))
    source = await start()
    again = found(source, secret.key)
    assert isinstance(again, Secret)
    assert bytes(again.data["key"]) == b"hunter2"


async def test_a_damaged_database_is_told_of_and_files_still_count(
    start: Starter, state: StateFolder, manifests: Path
) -> None:
    (manifests / "a.yaml").write_text(document("a"))
    (state.path / "objects.sqlite3").write_bytes(b"damage" * 1000)
    source = await start()
    assert value(source, "a") == "1"
    (problem,) = source.problems
    assert "damaged" in problem.text
    assert "apply it again" in problem.text
    assert source.events.after()[0].reason == "InvalidManifest"


async def test_what_another_version_wrote_is_told_of_and_kept(start: Starter, state: StateFolder) -> None:
    source = await start()
    await source.apply([config_map("a")])
    await source.stop()
    with sqlite3.connect(state.path / "objects.sqlite3") as connection:
        connection.execute("""UPDATE objects SET body = '{"apiVersion": "v2"}'""")
    connection.close()
    source = await start()
    assert source.store.get(key("a")) is None
    (problem,) = source.problems
    assert problem.text.startswith("ConfigMap default/a: ")
    source = await start()
    assert len(source.problems) == 1


async def test_a_write_that_fails_is_told_to_whoever_applied(start: Starter) -> None:
    source = await start()
    connection = source._database._connection
    assert connection is not None
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError):
        await source.apply([config_map("a")])
    assert value(source, "a") == "1"
    assert any("lost with this process" in problem.text for problem in source.problems)
    connection.execute("PRAGMA query_only = OFF")
    await source.apply([config_map("b")])
    source = await start()
    assert (value(source, "a"), value(source, "b")) == ("1", "1")


async def test_problems_come_as_events_once(start: Starter, manifests: Path, eventually: Eventually) -> None:
    (manifests / "a.yaml").write_text("kind: [")
    source = await start()
    assert len(source.problems) == 1
    (manifests / "b.yaml").write_text(document("b"))
    await eventually(lambda: value(source, "b") == "1")
    assert [event.reason for event in source.events.after()].count("InvalidManifest") == 1
    (manifests / "a.yaml").write_text(document("a"))
    await eventually(lambda: value(source, "a") == "1")
    assert list(source.problems) == []


async def test_what_changes_is_told_by_events(start: Starter, manifests: Path, eventually: Eventually) -> None:
    source = await start()
    await source.apply([config_map("b")])
    (manifests / "a.yaml").write_text(document("a"))
    await eventually(lambda: value(source, "a") == "1")
    await source.delete([key("b")])
    assert [(event.about.name, event.reason, event.message) for event in source.events.after()] == [
        ("b", "Created", "Created by command"),
        ("a", "Created", "Created by file a.yaml"),
        ("b", "Deleted", "Deleted by command"),
    ]


async def test_many_changes_at_once_are_one_event(start: Starter) -> None:
    source = await start()
    await source.apply([config_map(str(number)) for number in range(50)])
    assert [event.message for event in source.events.after()] == ["50 objects changed by command"]


KILLED = """
import asyncio, sys
from pathlib import Path
from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.objects import ConfigMap, ObjectMeta

async def main():
    state = StateFolder(Path(sys.argv[1]))
    state.acquire()
    source = LocalSource(Store(), state, None)
    await source.start()
    for number in range(100_000):
        await source.apply([ConfigMap(metadata=ObjectMeta(name=f"{number}", namespace="default"))])
        print(number, flush=True)

asyncio.run(main())
"""


def apply_until_killed(folder: Path) -> int:
    """The number of the last object whose application was acknowledged before the kill."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(25)]
        process.kill()
    return acknowledged[-1]


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    acknowledged = apply_until_killed(folder)
    state = StateFolder(folder)
    state.acquire()
    source = LocalSource(Store(), state, None)
    await source.start()
    assert {str(number) for number in range(acknowledged + 1)} <= {
        item.metadata.name for item in source.store.of_kind("ConfigMap")
    }
    await source.stop()
    state.release()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), st.sampled_from("abc"), st.sampled_from("12")),
        st.tuples(st.just("delete"), st.sampled_from("abc"), st.just("")),
        st.tuples(st.just("children"), st.sampled_from("abc"), st.sampled_from(["", "b", "bc", "xy"])),
    ),
    max_size=15,
)


@given(STEPS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_memory_is_what_a_restart_would_bring(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    state = StateFolder(tmp_path_factory.mktemp("state"))
    state.acquire()
    source = LocalSource(Store(), state, None)
    await source.start()
    for step, name, detail in steps:
        if step == "apply":
            await source.apply([config_map(name, detail)])
        elif step == "delete":
            await source.delete([key(name)])
        else:
            await source.reconcile_children(key(name), [config_map(child) for child in detail], manager="test")
    before = {item.key: item.with_metadata(resource_version="") for item in source.store.of_kind("ConfigMap")}
    for item in before.values():
        for reference in item.metadata.owner_references:
            assert source.store.get(Key(reference.kind, "default", reference.name)) is not None
    await source.stop()
    source = LocalSource(Store(), state, None)
    await source.start()
    after = {item.key: item.with_metadata(resource_version="") for item in source.store.of_kind("ConfigMap")}
    kept = source._database.load(Table.IDENTITIES)
    await source.stop()
    state.release()
    assert after == before
    assert {Key(*row[:3]) for row in kept} == set(before)
