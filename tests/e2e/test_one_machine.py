"""What a machine with Isoline goes through: manifests as they are, edits, crashes, kills."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from e2e.support import EXAMPLES, SEED, Isoline

MakeIsoline = Callable[[Path], Isoline]

TWO_REPLICAS = """
apiVersion: isoline.dev/v1alpha1
kind: App
metadata: {name: voice}
spec: {profile: voice, host: voice.localhost, scale: {min: 2, max: 2}}
"""


def answers(version: str) -> str:
    """A site that needs no backend."""
    return json.dumps(
        {
            "apiVersion": "projectcontour.io/v1",
            "kind": "HTTPProxy",
            "metadata": {"name": "hello"},
            "spec": {
                "virtualhost": {"fqdn": "hello.localhost"},
                "routes": [{"directResponsePolicy": {"statusCode": 200, "body": version}}],
            },
        }
    )


def says(running: Isoline) -> str:
    answer = httpx.get(f"http://127.0.0.1:{running.http_port}/", headers={"Host": "hello.localhost"}, timeout=5)
    return answer.text if answer.status_code == 200 else ""


class Load:
    """Requests one after another on several connections, each counted."""

    def __init__(self, running: Isoline, host: str, path: str) -> None:
        self.statuses: list[int | str] = []
        self._url, self._client = running.url(host, path), running.client
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]

    def _run(self) -> None:
        with self._client() as client:
            while not self._stop.is_set():
                try:
                    self.statuses.append(client.get(self._url).status_code)
                except httpx.HTTPError as error:
                    self.statuses.append(repr(error))
                time.sleep(0.01)

    @property
    def failed(self) -> list[int | str]:
        return [status for status in self.statuses if status != 200]

    @contextmanager
    def running(self) -> Iterator["Load"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def test_the_seed_manifests_come_up_unchanged(isoline: MakeIsoline) -> None:
    running = isoline(SEED)
    running.up()
    running.until_speaks("voice.example.com")
    running.until(lambda: running.get("httpproxy", "cosyvoice-proxy")["status"]["currentStatus"] == "valid")
    deployment = running.get("deployment", "cosyvoice3")
    assert deployment["status"]["readyReplicas"] == 1


def test_a_saved_file_is_served_and_a_broken_one_keeps_the_last_good(isoline: MakeIsoline, tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    file = manifests / "hello.json"
    file.write_text(answers("one"))
    running = isoline(manifests)
    running.up()
    running.until(lambda: says(running) == "one")
    file.write_text(answers("two"))
    running.until(lambda: says(running) == "two")
    file.write_text(answers("three")[:-20])
    running.until(lambda: "hello.json" in running.said())
    assert says(running) == "two"
    file.write_text(answers("four"))
    running.until(lambda: says(running) == "four")
    file.unlink()
    running.until(lambda: not says(running))


def test_apply_diff_and_delete(isoline: MakeIsoline, tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    running = isoline(manifests)
    running.up()
    running.until(lambda: running.run("get", check=False).returncode == 0)
    file = tmp_path / "hello.json"
    file.write_text(answers("one"))
    assert "hello.localhost" in running.run("diff", "-f", str(file), check=False).stdout
    running.run("apply", "-f", str(file))
    running.until(lambda: says(running) == "one")
    running.run("delete", "httpproxy", "hello")
    running.until(lambda: not says(running))


def test_traffic_outlives_the_control_plane_and_the_next_one_takes_over(isoline: MakeIsoline, tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    shutil.copytree(EXAMPLES / "voice", manifests)
    (manifests / "hello.json").write_text(answers("before"))
    running = isoline(manifests)
    running.up()
    running.until_speaks("voice.localhost")
    running.until(lambda: says(running) == "before")
    with Load(running, "voice.localhost", "/v1/models").running() as load:
        running.kill()
        time.sleep(0.5)
        (manifests / "hello.json").write_text(answers("after"))
        running.up()
        running.until(lambda: says(running) == "after")
        time.sleep(0.5)
    assert load.failed == []
    assert len(load.statuses) > 50


def test_down_ends_what_a_killed_control_plane_left(isoline: MakeIsoline) -> None:
    running = isoline(EXAMPLES / "voice")
    running.up()
    running.until_speaks("voice.localhost")
    running.kill()
    with running.client() as client:
        assert client.get(running.url("voice.localhost", "/readyz")).status_code == 200
    running.run("down")
    assert running.processes() == []


def test_a_killed_replica_fails_no_request_and_is_replaced(isoline: MakeIsoline, tmp_path: Path) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "voice.yaml").write_text(TWO_REPLICAS)
    running = isoline(manifests)
    running.up()
    running.until(lambda: running.get("app", "voice")["status"].get("readyReplicas") == 2)
    running.until_speaks("voice.localhost")
    with Load(running, "voice.localhost", "/v1/models").running() as load:
        time.sleep(0.5)
        victim = next(pid for name, pid in running.processes() if "voice" in name)
        os.kill(victim, signal.SIGKILL)
        time.sleep(1)
        running.until(
            lambda: (
                running.get("app", "voice")["status"].get("readyReplicas") == 2
                and victim not in [pid for _, pid in running.processes()]
            )
        )
    assert load.failed == []
    assert len(load.statuses) > 50


def test_a_screen_that_nobody_reads_any_more_stops_nothing_and_the_end_is_whole(
    isoline: MakeIsoline, tmp_path: Path
) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "voice.yaml").write_text(TWO_REPLICAS)
    running = isoline(manifests)
    reading, writing = os.pipe()
    running.up(output=writing)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    running.until_speaks("voice.localhost")
    assert running.interrupt() == 0
    assert running.processes() == []
