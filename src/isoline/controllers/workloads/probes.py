"""Questions to a container: is it up, may it have traffic, is it alive."""

import asyncio
import os
import ssl
import struct
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiohttp
import grpc.aio

from isoline.controllers.clock import Clock
from isoline.controllers.workloads.exits import ended
from isoline.objects.containers import HTTPGetAction, Probe

EAGER_FIRST = 0.05
EAGER_LONGEST = 1.0
_SERVING = 1
_MESSAGE_BYTES = 512
_BODY_BYTES = 10 * 1024


class Outcome(NamedTuple):
    """The answer to one probe; the message says what was wrong."""

    success: bool
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The container that is asked. `port` gives the real port of a declared one, by number or name."""

    address: str
    port: Callable[[int | str], int]
    execute: Callable[[tuple[str, ...], float], Awaitable[Outcome]]
    """Runs a command beside the program, in its environment, for at most so many seconds."""


Check = Callable[[], Awaitable[Outcome]]


def check_of(probe: Probe, target: Target) -> Check:
    """Return the question that a probe asks; a probe without an action always succeeds."""

    async def ask() -> Outcome:
        if probe.exec is not None:
            return await target.execute(probe.exec.command, probe.timeout_seconds)
        try:
            async with asyncio.timeout(probe.timeout_seconds):
                if probe.http_get is not None:
                    return await _http(probe.http_get, target, probe.timeout_seconds)
                if probe.tcp_socket is not None:
                    return await tcp(probe.tcp_socket.host or target.address, target.port(probe.tcp_socket.port))
                if probe.grpc is not None:
                    return await _grpc(target.address, target.port(probe.grpc.port), probe.grpc.service or "")
        except TimeoutError:
            return Outcome(False, f"no answer within {probe.timeout_seconds} s")
        except (OSError, LookupError) as error:
            return Outcome(False, str(error) or type(error).__name__)
        return Outcome(True)

    return ask


async def _http(action: HTTPGetAction, target: Target, timeout_seconds: float) -> Outcome:
    host, port = action.host or target.address, target.port(action.port)
    scheme = action.scheme.lower()
    headers = {"User-Agent": "isoline-probe", "Accept": "*/*"} | {each.name: each.value for each in action.http_headers}
    connector = aiohttp.TCPConnector(ssl=_unverified() if scheme == "https" else True, force_close=True)
    path = action.path if action.path.startswith("/") else f"/{action.path}"
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=timeout_seconds)) as session,
            session.get(f"{scheme}://{host}:{port}{path}", headers=headers, allow_redirects=False) as response,
        ):
            # The body is read, as the kubelet does, so that the program sees an orderly end.
            await response.content.read(_BODY_BYTES)
            if 200 <= response.status < 400:
                return Outcome(True)
            return Outcome(False, f"GET {path} answered {response.status}")
    except aiohttp.ClientConnectorError as error:
        return Outcome(False, f"connection to {host}:{port}: {_words(error.os_error)}")
    except (aiohttp.ClientError, ValueError) as error:
        return Outcome(False, f"GET {path}: {error or type(error).__name__}")


def _words(error: OSError) -> str:
    """asyncio puts addresses where the reason belongs; the number still tells it."""
    return os.strerror(error.errno) if error.errno else str(error)


def _unverified() -> ssl.SSLContext:
    """A health check asks whether a program lives, not who it is: no certificate is verified, as in Kubernetes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def tcp(address: str, port: int) -> Outcome:
    """Succeeds when a connection can be made."""
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError as error:
        return Outcome(False, f"connection to {address}:{port}: {_words(error)}")
    writer.close()
    return Outcome(True)


async def _grpc(address: str, port: int, service: str) -> Outcome:
    """Ask grpc.health.v1.Health/Check. Its two messages are one field each, so they are written by hand."""
    name = service.encode()
    request = b"" if not name else b"\x0a" + _varint(len(name)) + name
    async with grpc.aio.insecure_channel(f"{address}:{port}", options=(("grpc.enable_http_proxy", 0),)) as channel:
        ask: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            answer: bytes = await ask(request)
        except grpc.aio.AioRpcError as error:
            return Outcome(False, f"health check: {error.code().name}: {error.details()}")
    status = answer[1] if len(answer) >= 2 and answer[0] == 0x08 else 0
    return Outcome(True) if status == _SERVING else Outcome(False, f"health check: status {status}, not SERVING")


def _varint(number: int) -> bytes:
    digits = []
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return struct.pack(f"{len(digits) + 1}B", *digits, number)


async def execute(command: tuple[str, ...], seconds: float, *, env: Mapping[str, str], cwd: str) -> Outcome:
    """Run a command with a container's environment; it succeeds when it ends with 0 in time, and is killed else."""
    with tempfile.TemporaryFile() as output:
        try:
            # Not as a subprocess of the event loop: uvloop forks, which gRPC remarks on to the terminal each time.
            process = subprocess.Popen(  # noqa: ASYNC220
                command, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        except (OSError, ValueError, IndexError) as error:
            return Outcome(False, f"cannot run {' '.join(command) or 'an empty command'}: {error}")
        try:
            async with asyncio.timeout(seconds):
                await ended(process.pid)
        except TimeoutError:
            return Outcome(False, f"{command[0]} did not end within {seconds:g} s")
        finally:
            process.kill()
            process.wait()
        # The file is shared with whatever the command left running, so it is read where it is, not from its end.
        words = os.pread(output.fileno(), _MESSAGE_BYTES, max(os.fstat(output.fileno()).st_size - _MESSAGE_BYTES, 0))
    message = words.decode(errors="replace").strip()
    return Outcome(process.returncode == 0, message or f"{command[0]} exited with code {process.returncode}")


@dataclass(slots=True)
class Tally:
    """Counts answers in a row and says when they change what is believed. `state` is None until the first verdict."""

    success_threshold: int
    failure_threshold: int
    state: bool | None = None
    _row: int = 0
    _last: bool | None = None

    def count(self, success: bool) -> bool:
        """Count one answer; returns whether it changed `state`."""
        self._row = self._row + 1 if success == self._last else 1
        self._last = success
        needed = self.success_threshold if success else self.failure_threshold
        if self._row < needed or self.state == success:
            return False
        self.state = success
        return True


async def verdicts(
    probe: Probe, check: Check, clock: Clock, *, believed: bool | None = None
) -> AsyncGenerator[Outcome, None]:
    """Ask again and again, and yield an answer whenever enough of its kind in a row change what is believed.

    Until the first verdict it also asks between the periods, so that a program is found ready when it is, and not up
    to a period later; such an early failure does not count, an early success does.
    """
    tally = Tally(probe.success_threshold, probe.failure_threshold, state=believed)
    await clock.sleep(probe.initial_delay_seconds)
    while True:
        outcome = await check()
        if tally.count(outcome.success):
            yield outcome
        passed, pause = 0.0, EAGER_FIRST
        while tally.state is None and passed < probe.period_seconds:
            step = min(pause, probe.period_seconds - passed)
            await clock.sleep(step)
            passed += step
            pause = min(pause * 1.5, EAGER_LONGEST)
            if passed < probe.period_seconds:
                early = await check()
                if early.success and tally.count(True):
                    yield early
        await clock.sleep(probe.period_seconds - passed)
