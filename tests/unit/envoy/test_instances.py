"""What tells one Envoy from another, and where its sockets are."""

from dataclasses import replace
from pathlib import Path

import pytest

from isoline.envoy import BootstrapSettings, EnvoyError, binary, instances
from isoline.envoy.instances import Plan

PLAN = Plan(settings=BootstrapSettings(node_id="a", xds_socket=Path("/s/xds.sock")), concurrency=None, drain_seconds=1)


def test_equal_plans_have_equal_digests() -> None:
    assert replace(PLAN, settings=replace(PLAN.settings)).digest == PLAN.digest


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, settings=replace(PLAN.settings, node_id="b")),
        replace(PLAN, settings=replace(PLAN.settings, xds_socket=Path("/other/xds.sock"))),
        replace(PLAN, settings=replace(PLAN.settings, max_connections=1)),
        replace(PLAN, concurrency=2),
        replace(PLAN, drain_seconds=2),
    ],
)
def test_what_a_running_process_cannot_change_is_in_the_digest(other: Plan) -> None:
    assert other.digest != PLAN.digest


def test_another_version_of_envoy_is_another_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    before = PLAN.digest
    monkeypatch.setattr(binary, "version", lambda: "999.0.0")
    assert PLAN.digest != before


def test_a_folder_has_its_own_base_id(tmp_path: Path) -> None:
    one, two = (instances._free_base_id(tmp_path / name, []) for name in ("one", "two"))
    assert one != two
    assert instances._free_base_id(tmp_path / "one", []) == one
    assert 0 <= one * 10 < 2**32


def test_ended_envoys_leave_nothing(tmp_path: Path) -> None:
    shared = Path(f"/dev/shm/envoy_shared_memory_{instances._free_base_id(tmp_path, []) * 10}")
    (tmp_path / "envoy-0").mkdir()
    left = [shared, tmp_path / "hot_parent_1", tmp_path / "envoy-0" / "admin.sock"]
    for file in [*left, tmp_path / "envoy-0" / "bootstrap.json"]:
        file.touch()
    instances.clean(tmp_path)
    assert not any(file.exists() for file in left)
    assert (tmp_path / "envoy-0" / "bootstrap.json").exists()


def test_a_socket_is_reached_by_the_shorter_way(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "envoy" / "envoy-0"
    folder.mkdir(parents=True)
    assert instances._near(tmp_path / "state" / "xds.sock", folder) == Path("../../xds.sock")
    assert instances._near(Path("/x.sock"), folder) == Path("/x.sock")


def test_the_way_is_right_behind_symbolic_links(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep" / "envoy-0").mkdir(parents=True)
    (tmp_path / "state").symlink_to(tmp_path / "real" / "deep")
    (tmp_path / "real" / "deep" / "xds.sock").touch()
    near = instances._near(tmp_path / "state" / "xds.sock", tmp_path / "state" / "envoy-0")
    assert (tmp_path / "state" / "envoy-0" / near).samefile(tmp_path / "real" / "deep" / "xds.sock")


def test_a_socket_that_is_too_far_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvoyError, match="is too long; put it next to"):
        instances._near(tmp_path / ("x" * 120) / "xds.sock", tmp_path)


def test_last_words_are_those_of_envoy_and_not_its_access_log() -> None:
    said = 'path":"/cut off at the beginning"}\n[critical][main] out of memory\n{"status":200,"path":"/"}\n'
    assert instances.own_words(said) == "[critical][main] out of memory"
    assert instances.own_words('{"status":200,"path":"/"}\n') == ""
