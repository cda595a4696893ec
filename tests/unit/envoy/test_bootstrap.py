"""The bootstrap is what the golden file says, and Envoy takes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from isoline.envoy import BootstrapSettings, binary
from isoline.envoy.bootstrap import bootstrap

GOLDEN = Path(__file__).parents[2] / "golden" / "envoy" / "bootstrap.json"


def render(**settings: Any) -> dict[str, Any]:
    return bootstrap(
        BootstrapSettings(node_id="envoy-of-a-machine", xds_socket=Path("/state/xds.sock"), **settings),
        admin_socket=Path("admin.sock"),
        xds_socket=Path("../../xds.sock"),
    )


def test_golden() -> None:
    assert render() == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("settings", [{}, {"max_heap_bytes": 2**33, "max_connections": 10, "node_cluster": "edge"}])
async def test_envoy_takes_it(tmp_path: Path, settings: dict[str, Any]) -> None:
    (tmp_path / "bootstrap.json").write_text(json.dumps(render(**settings)))
    assert await binary.validate(tmp_path / "bootstrap.json") is None


async def test_what_envoy_does_not_take_is_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "bootstrap.json").write_text(json.dumps(render() | {"no_such_field": 1}))
    complaint = await binary.validate(tmp_path / "bootstrap.json")
    assert complaint is not None
    assert "no such field: 'no_such_field'" in complaint


def test_settings_reach_envoy() -> None:
    monitors = render(max_heap_bytes=5, max_connections=7)["overload_manager"]["resource_monitors"]
    assert monitors[0]["typed_config"]["max_heap_size_bytes"] == "5"
    assert monitors[1]["typed_config"]["max_active_downstream_connections"] == "7"
