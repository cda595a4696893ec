"""wrk, driven: requests per second, latencies and errors of one run."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.servers import MissingProgramError

SUMMARY = """done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests": %d, "duration": %f, "p50": %f, "p95": %f, "p99": %f, "errors": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""

POST = """
wrk.method = "POST"
wrk.path = "/predict"
wrk.headers["Host"] = "{host}"
wrk.headers["Content-Type"] = "audio/wav"
wrk.body = string.rep("a", {size})
"""


class Load(NamedTuple):
    """Rates in requests a second, latencies in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    errors: int


def post(port: int, host: str, *, size: int, connections: int, seconds: int, cpu: int | None = None) -> Load:
    """Posts bodies of `size` bytes over `connections` kept-alive connections for some seconds."""
    return _run(POST.format(host=host, size=size) + SUMMARY, port, connections=connections, seconds=seconds, cpu=cpu)


def get(port: int, host: str, *, connections: int, seconds: int, cpu: int | None = None) -> Load:
    """Gets `/` over `connections` kept-alive connections for some seconds."""
    script = f'wrk.headers["Host"] = "{host}"\n{SUMMARY}'
    return _run(script, port, connections=connections, seconds=seconds, cpu=cpu)


def _run(text: str, port: int, *, connections: int, seconds: int, cpu: int | None) -> Load:
    if not shutil.which("wrk"):
        raise MissingProgramError("wrk is not installed (Debian: wrk)")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(text)
        script.flush()
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        command = [*pin, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(Path(script.name))]
        output = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/"], check=True, capture_output=True, text=True
        ).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    return Load(result["requests"] / result["duration"], result["p50"], result["p95"], result["p99"], result["errors"])
