"""Requests that a rate-limit service counts, by the commands of a user: `isoline up` and `isoline rate-limits`."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support import COMMAND, Isoline, free_port


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def app() -> Iterator[int]:
    """The port of an app."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def at(name: str, port: int) -> str:
    """A Service, and its one replica on this machine."""
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{{addresses: [127.0.0.1]}}]
ports: [{{port: {port}}}]
---
"""


SITE = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: hello}
spec:
  virtualhost: {fqdn: hello.localhost}
  routes:
  - conditions: [{prefix: /}]
    services: [{name: hello, port: 80}]
  - conditions: [{prefix: /login}]
    services: [{name: hello, port: 80}]
    rateLimitPolicy: {global: {descriptors: [{entries: [{genericKey: {value: login}}]}]}}
"""
EXTENSION = """
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {name: counter, namespace: default}
spec: {protocol: h2c, services: [{name: counter, port: 80}]}
"""


def config(requests: int, **more: Any) -> str:
    """A GatewayConfig whose service lets so many logins in."""
    limit = {"entries": [{"key": "generic_key", "value": "login"}], "requests": requests, "unit": "hour"}
    service = {"limits": [limit], "enableXRateLimitHeaders": True, "responseTimeout": "5s", **more}
    head = {"apiVersion": "isoline.dev/v1alpha1", "kind": "GatewayConfig", "metadata": {"name": "default"}}
    return json.dumps({**head, "spec": {"rateLimitService": service}})


def ask(isoline: Isoline, path: str = "/login") -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{isoline.http_port}{path}", headers={"host": "hello.localhost"}, timeout=30)


def statuses(isoline: Isoline, count: int) -> list[int]:
    return [ask(isoline).status_code for _ in range(count)]


def until_told(isoline: Isoline, limit: int) -> None:
    """Waits until answers tell this limit. They are counted as well."""
    isoline.until(lambda: ask(isoline).headers.get("x-ratelimit-limit", "").startswith(f"{limit},"))


@contextmanager
def counting(file: Path, port: int) -> Iterator[None]:
    """`isoline rate-limits`, until the block ends."""
    process = subprocess.Popen([COMMAND, "rate-limits", str(file), "--listen", f"127.0.0.1:{port}"])
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_the_service_of_one_machine_counts_and_follows_its_limits(
    isoline: Callable[[Path], Isoline], tmp_path: Path, app: int
) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "site.yaml").write_text(at("hello", app) + SITE)
    (manifests / "config.json").write_text(config(1000))
    running = isoline(manifests)
    running.up()
    until_told(running, 1000)
    # Another limit is another count.
    (manifests / "config.json").write_text(config(2))
    until_told(running, 2)
    running.until(lambda: ask(running).status_code == 429)
    assert statuses(running, 3) == [429, 429, 429]
    assert ask(running, "/").status_code == 200
    # Without the control plane nobody counts, and nobody is turned away.
    running.kill()
    running.until(lambda: ask(running).status_code == 200)


def test_a_service_behind_an_extension_service_counts_and_its_absence_is_as_was_asked(
    isoline: Callable[[Path], Isoline], tmp_path: Path, app: int
) -> None:
    manifests, port = tmp_path / "manifests", free_port()
    manifests.mkdir()
    outside = {"extensionService": {"namespace": "default", "name": "counter"}}
    (manifests / "site.yaml").write_text(at("hello", app) + at("counter", port) + EXTENSION + "---" + SITE)
    (manifests / "config.json").write_text(config(1, **outside))
    limits = tmp_path / "limits"
    limits.mkdir()
    file = limits / "limits.json"
    file.write_text(config(1000))
    running = isoline(manifests)
    running.up()
    running.until(lambda: ask(running).status_code == 500)
    with counting(file, port):
        until_told(running, 1000)
        file.write_text(config(2))
        until_told(running, 2)
        running.until(lambda: ask(running).status_code == 429)
        assert statuses(running, 3) == [429, 429, 429]
        assert ask(running, "/").status_code == 200
    running.until(lambda: ask(running).status_code == 500)
    (manifests / "config.json").write_text(config(1, failOpen=True, **outside))
    running.until(lambda: ask(running).status_code == 200)
    assert statuses(running, 3) == [200, 200, 200]
