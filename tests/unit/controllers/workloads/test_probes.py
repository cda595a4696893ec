"""Probes ask real servers; what is believed of the answers is counted in a time that the test moves."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import grpc.aio
import pytest
from aiohttp import web

from isoline.controllers.authority import open_authority, utc
from isoline.controllers.workloads.probes import Outcome, Tally, Target, check_of, execute, verdicts
from isoline.objects.containers import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    HTTPHeader,
    Probe,
    TCPSocketAction,
)
from unit.controllers.support import FakeClock, settle

HOST = "127.0.0.1"


async def run(command: tuple[str, ...], seconds: float) -> Outcome:
    return await execute(command, seconds, env={"PATH": "/usr/bin:/bin", "WORD": "hello"}, cwd="/")


TARGET = Target(address=HOST, port=int, execute=run)


async def ask(probe: Probe) -> Outcome:
    return await check_of(probe, TARGET)()


async def answer(request: web.Request) -> web.Response:
    if request.path == "/slow":
        await asyncio.sleep(30)
    if request.path == "/headers":
        return web.Response(status=200 if request.headers.get("X-Who") == "probe" else 403)
    status = int(request.path.removeprefix("/"))
    return web.Response(status=status, headers={"Location": "/500"} if status == 302 else {})


async def serve(context: ssl.SSLContext | None = None) -> tuple[web.AppRunner, int]:
    application = web.Application()
    application.router.add_get("/{any:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, ssl_context=context)
    await site.start()
    port: int = runner.addresses[0][1]
    return runner, port


@pytest.fixture
async def port() -> AsyncIterator[int]:
    runner, number = await serve()
    yield number
    await runner.cleanup()


def http(port: int, path: str, scheme: str = "HTTP") -> Probe:
    return Probe(http_get=HTTPGetAction(path=path, port=port, scheme=scheme))


@pytest.mark.parametrize(
    ("status", "success"), [(200, True), (204, True), (302, True), (399, True), (400, False), (503, False)]
)
async def test_an_answer_from_200_to_399_is_a_success_and_no_redirect_is_followed(
    port: int, status: int, success: bool
) -> None:
    outcome = await ask(http(port, f"/{status}"))

    assert outcome.success == success
    assert success or str(status) in outcome.message


async def test_headers_of_a_probe_are_sent(port: int) -> None:
    action = HTTPGetAction(path="/headers", port=port, http_headers=(HTTPHeader(name="X-Who", value="probe"),))

    assert (await ask(Probe(http_get=action))).success
    assert not (await ask(http(port, "/headers"))).success


async def test_an_answer_that_takes_too_long_is_a_failure(port: int) -> None:
    outcome = await ask(http(port, "/slow"))

    assert not outcome.success
    assert "1 s" in outcome.message


async def test_https_is_asked_without_looking_at_the_certificate(tmp_path: Path) -> None:
    authority, _ = open_authority(tmp_path / "ca.crt", tmp_path / "ca.key", now=utc(FakeClock().now()))
    issued = authority.issue(["elsewhere.example"], now=utc(FakeClock().now()))
    (tmp_path / "chain.pem").write_bytes(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")
    runner, number = await serve(context)
    try:
        assert (await ask(http(number, "/200", scheme="HTTPS"))).success
    finally:
        await runner.cleanup()


async def test_tcp_succeeds_where_somebody_listens(port: int, unused_tcp_port: int) -> None:
    assert (await ask(Probe(tcp_socket=TCPSocketAction(port=port)))).success

    outcome = await ask(Probe(tcp_socket=TCPSocketAction(port=unused_tcp_port)))
    assert not outcome.success
    assert f"{HOST}:{unused_tcp_port}" in outcome.message


async def test_http_where_nobody_listens_says_where(unused_tcp_port: int) -> None:
    outcome = await ask(http(unused_tcp_port, "/"))

    assert not outcome.success
    assert f"{HOST}:{unused_tcp_port}" in outcome.message


@pytest.mark.parametrize(
    ("command", "success", "words"),
    [
        (("sh", "-c", 'test "$WORD" = hello'), True, ""),
        (("sh", "-c", "echo not well; exit 3"), False, "not well"),
        (("sh", "-c", "exit 4"), False, "code 4"),
        (("no-such-program",), False, "no-such-program"),
        (("sleep", "30"), False, "1 s"),
        ((), False, "empty command"),
    ],
)
async def test_a_command_succeeds_when_it_ends_with_0_in_time(
    command: Sequence[str], success: bool, words: str
) -> None:
    outcome = await ask(Probe(exec=ExecAction(command=tuple(command))))

    assert outcome.success == success
    assert words in outcome.message


async def test_a_command_never_forks_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork of the event loop's process makes gRPC write to the terminal, once for each probe."""
    forks: list[int] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "subprocess_exec", lambda *_, **__: forks.append(1))

    assert (await run(("true",), 5)).success
    assert forks == []


async def test_what_a_command_leaves_running_holds_nobody_up() -> None:
    outcome = await run(("sh", "-c", "sleep 5 & echo done"), 3)

    assert outcome == Outcome(True, "done")


@pytest.mark.parametrize(
    ("service", "reply", "success"),
    [(None, b"\x08\x01", True), ("speech" * 40, b"\x08\x02", False), (None, b"", False)],
)
async def test_grpc_is_healthy_when_it_says_serving(service: str | None, reply: bytes, success: bool) -> None:
    asked: list[bytes] = []

    async def check(request: bytes, _context: object) -> bytes:
        asked.append(request)
        return reply

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),)
    )
    number = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    try:
        outcome = await ask(Probe(grpc=GRPCAction(port=number, service=service), timeout_seconds=5))
    finally:
        await server.stop(None)

    assert outcome.success == success
    name = (service or "").encode()
    # A name of 128 bytes and more takes two bytes for its length.
    assert asked == [b"" if not name else b"\x0a\xf0\x01" + name]


async def test_grpc_where_nobody_listens_is_a_failure(unused_tcp_port: int) -> None:
    outcome = await ask(Probe(grpc=GRPCAction(port=unused_tcp_port), timeout_seconds=5))

    assert not outcome.success
    assert "UNAVAILABLE" in outcome.message


def test_enough_answers_in_a_row_change_what_is_believed() -> None:
    tally = Tally(success_threshold=2, failure_threshold=3)

    answers = [True, False, True, True, False, False, True, False, False, False, True, True]
    turned = [(at, tally.state) for at, success in enumerate(answers) if tally.count(success)]

    assert turned == [(3, True), (9, False), (11, True)]


@pytest.fixture
def unused_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
    return number


class Patient:
    """Answers as it is told, and notes when it was asked."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.well = False
        self.began = clock.now()
        self.asked: list[float] = []

    async def __call__(self) -> Outcome:
        self.asked.append(round(self.clock.now() - self.began, 3))
        return Outcome(self.well, "" if self.well else "ill")


async def follow(
    probe: Probe, patient: Patient, found: list[tuple[float, bool]], *, believed: bool | None = None
) -> None:
    async for outcome in verdicts(probe, patient, patient.clock, believed=believed):
        found += [(round(patient.clock.now() - patient.began, 3), outcome.success)]


async def test_a_program_is_found_well_soon_after_it_is_and_not_a_period_later() -> None:
    clock, found = FakeClock(), list[tuple[float, bool]]()
    patient = Patient(clock)
    task = asyncio.create_task(follow(Probe(period_seconds=10), patient, found))
    await clock.advance(3)
    patient.well = True
    await clock.advance(1.5)

    assert [success for _, success in found] == [True]
    assert found[0][0] < 4.5
    task.cancel()


async def test_early_failures_do_not_count_and_those_of_the_period_do() -> None:
    clock, found = FakeClock(), list[tuple[float, bool]]()
    patient = Patient(clock)
    probe = Probe(initial_delay_seconds=5, period_seconds=10, failure_threshold=3)
    task = asyncio.create_task(follow(probe, patient, found))
    await clock.advance(60)

    assert min(patient.asked) == 5
    assert found == [(25, False)]
    task.cancel()


async def test_what_was_believed_of_an_earlier_run_is_the_starting_point() -> None:
    clock, found = FakeClock(), list[tuple[float, bool]]()
    patient = Patient(clock)
    task = asyncio.create_task(follow(Probe(period_seconds=5), patient, found, believed=True))
    await settle()
    assert found == []

    await clock.advance(12)

    assert found == [(10, False)]
    assert patient.asked == [0, 5, 10]
    task.cancel()
