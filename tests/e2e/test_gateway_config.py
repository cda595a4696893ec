"""The gateway's own settings, changed while it serves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from e2e.support import Isoline, free_port

SITE = {
    "apiVersion": "projectcontour.io/v1",
    "kind": "HTTPProxy",
    "metadata": {"name": "hello"},
    "spec": {
        "virtualhost": {"fqdn": "hello.localhost"},
        "routes": [{"directResponsePolicy": {"statusCode": 200, "body": "hello"}}],
    },
}


def config(**spec: Any) -> str:
    return json.dumps(
        {"apiVersion": "isoline.dev/v1alpha1", "kind": "GatewayConfig", "metadata": {"name": "default"}, "spec": spec}
    )


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "hello.localhost"}).text == "hello"
    except httpx.ConnectError:
        return False


def test_settings_change_while_it_serves(isoline: Callable[[Path], Isoline], tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "site.json").write_text(json.dumps(SITE))
    running = isoline(manifests)
    running.up()
    running.until(lambda: answers(running.http_port))
    envoy = running.processes()[0][1]

    # A port: the listener moves, nothing starts anew, and the status says where.
    port = free_port()
    file = manifests / "config.json"
    file.write_text(config(listeners={"http": {"port": port}}))
    running.until(lambda: answers(port))
    running.until(lambda: f"0.0.0.0:{port}" in running.get("gatewayconfig", "default")["status"]["addresses"])
    assert [pid for _, pid in running.processes()] == [envoy]

    # What Envoy reads at its start only: another one takes over.
    file.write_text(config(listeners={"http": {"port": port}}, limits={"connections": 1000}))
    running.until(lambda: running.processes()[-1][1] != envoy)
    running.until(lambda: "Replaced" in running.said())
    assert answers(port)

    # A limit that every connection meets.
    file.write_text(config(listeners={"http": {"port": port}}, limits={"connections": 1000, "requestHeadersCount": 3}))
    headers = {"Host": "hello.localhost", **{f"x-{number}": "1" for number in range(5)}}
    running.until(lambda: httpx.get(f"http://127.0.0.1:{port}/", headers=headers).status_code == 431)
