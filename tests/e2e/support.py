"""A whole Isoline for a test: `isoline up` as a user starts it, in a state folder and on ports of its own."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from benchmarks import ports

from isoline.apps import load_catalog

T = TypeVar("T")
free_port = ports.free_port
COMMAND = Path(sys.executable).with_name("isoline")
SEED = Path(__file__).parent.parent / "seed"
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
VOICE_HOST = "voice.localhost"
"""Where the manifest in `examples/voice` serves the studio."""


class Isoline:
    """One state folder, and the `isoline up` that runs on it or not."""

    def __init__(self, folder: Path, manifests: Path) -> None:
        self.state = folder / "state"
        self.manifests = manifests
        self.http_port, self.https_port = free_port(), free_port()
        self.output = folder / "output.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of the command line, to its end."""
        return subprocess.run(
            [COMMAND, *arguments, "--state", str(self.state)],
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        )

    def up(self, *, output: int | None = None) -> None:
        """Starts it; what it prints is in `said`, unless it goes to a file descriptor of the caller's."""
        ports = ["--http-port", str(self.http_port), "--https-port", str(self.https_port)]
        command = [str(COMMAND), "up", str(self.manifests), "--state", str(self.state), *ports]
        with self.output.open("ab") as file:
            screen = file if output is None else output
            self.process = subprocess.Popen(command, stdout=screen, stderr=subprocess.STDOUT, start_new_session=True)

    def kill(self) -> None:
        """kill -9 of the control plane, and of nothing else."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self.process = None
        return code

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("get", kind, name, "-o", "json").stdout)
        return found

    def processes(self) -> list[tuple[str, int]]:
        """Name and process id of all that runs under this state folder."""
        found: list[tuple[str, int]] = []
        for state in sorted((self.state / "processes").glob("*/state.json")):
            pid = json.loads(state.read_text())["pid"]
            if Path(f"/proc/{pid}").exists():
                found.append((state.parent.name, pid))
        return found

    def url(self, host: str, path: str = "/") -> str:
        return f"https://{host}:{self.https_port}{path}"

    def client(self, **options: Any) -> httpx.Client:
        """A client that believes the local CA, and no other, and finds every host at this gateway."""
        context = ssl.create_default_context(cafile=str(self.state / "ca.crt"))
        return httpx.Client(transport=_Loopback(verify=context, **options), timeout=30)

    def until(self, ask: Callable[[], T], *, limit: float = 60) -> T:
        """Asks again and again until the answer is true; then that answer."""
        end = time.monotonic() + limit
        error: Exception | None = None
        while time.monotonic() < end:
            try:
                answer = ask()
            except (httpx.HTTPError, OSError, subprocess.SubprocessError, KeyError, ValueError) as failure:
                error = failure
            else:
                if answer:
                    return answer
            assert self.process is None or self.process.poll() is None, f"isoline up ended:\n{self.said()}"
            time.sleep(0.05)
        raise AssertionError(f"not within {limit} s ({error!r}); isoline up said:\n{self.said()}")

    def until_speaks(self, host: str) -> None:
        def asks() -> bool:
            with self.client() as client:
                return client.get(self.url(host, "/readyz")).status_code == 200

        self.until(asks)


def smoke(running: Isoline, profile: str) -> subprocess.CompletedProcess[str]:
    """What the smoke test of a catalog's entry says of the one replica of the App `voice`, asked directly."""
    entry = load_catalog().get(profile)
    assert entry is not None
    assert entry.smoke_test is not None
    program, *arguments = entry.smoke_test.command
    slices = json.loads(running.run("get", "endpointslices", "-o", "json").stdout)["items"]
    (found,) = (each for each in slices if each["metadata"]["name"].startswith("voice"))
    (address,) = found["endpoints"][0]["addresses"]
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        env={**os.environ, "STAGING_URL": f"http://{address}:{found['ports'][0]['port']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


class _Loopback(httpx.HTTPTransport):
    """Connects to 127.0.0.1 whatever the host is called; SNI and Host keep the name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        request.extensions["sni_hostname"] = name
        request.headers["Host"] = request.url.netloc.decode()
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)
