"""`isoline doctor`: each check-up by itself, and all of them as they are run."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isoline.cli import checkup_gateway, checkup_machine
from isoline.cli.checkup import Finding
from isoline.cluster.state import StateFolder
from isoline.console.wire import CertificateRecord, Summary
from unit.cli.conftest import Isoline, Run
from unit.cli.test_describe import certificate

DAY = 86400.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    folder.acquire()
    yield folder
    folder.release()


def verdicts(findings: Iterable[Finding]) -> list[str]:
    return [finding.verdict for finding in findings]


def test_a_sound_folder_is_good_and_an_open_one_is_not(state: StateFolder) -> None:
    assert verdicts(checkup_machine.state_folder(state)) == ["good"]
    state.path.chmod(0o755)
    (finding,) = checkup_machine.state_folder(state)
    assert (finding.verdict, finding.advice) == ("bad", f"chmod 700 {state.path}")


def test_a_folder_that_is_not_there_and_a_damaged_database_are_told(tmp_path: Path, state: StateFolder) -> None:
    assert verdicts(checkup_machine.state_folder(StateFolder(tmp_path / "none"))) == ["mind"]
    (state.path / "objects.damaged-20260101T000000.sqlite3").touch()
    assert verdicts(checkup_machine.state_folder(state)) == ["good", "mind"]


@pytest.mark.parametrize(("free", "verdict"), [(100 << 30, "good"), (2 << 30, "mind"), (1 << 20, "bad")])
def test_little_room_on_the_disk_is_told(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    class Usage:
        total = 500 << 30

    Usage.free = free  # type: ignore[attr-defined]
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    assert verdicts(checkup_machine.disk(state)) == [verdict]


def test_a_clock_that_went_back_is_told(state: StateFolder) -> None:
    assert "bad" not in verdicts(checkup_machine.clock(state))
    later = time.time() + DAY
    os.utime(state.path / "lock", (later, later))
    assert verdicts(checkup_machine.clock(state)) == ["bad"]


def test_envoy_is_there() -> None:
    assert verdicts(checkup_machine.envoy()) == ["good"]


def test_an_authority_is_looked_at(state: StateFolder) -> None:
    assert list(checkup_machine.authority(state)) == []
    state.ca_certificate.write_bytes(bytes(certificate("ca").data["tls.crt"]))
    assert verdicts(checkup_machine.authority(state)) == ["good"]
    state.ca_key.touch(0o644)
    assert verdicts(checkup_machine.authority(state)) == ["good", "bad"]
    state.ca_certificate.write_bytes(bytes(certificate("ca", days=-2).data["tls.crt"]))
    assert verdicts(checkup_machine.authority(state))[0] == "bad"
    state.ca_certificate.write_text("nothing")
    assert verdicts(checkup_machine.authority(state)) == ["bad"]


def test_ports_that_others_hold_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken, socket.socket() as free:
        for each in (taken, free):
            each.bind(("0.0.0.0", 0))
        taken.listen()
        port, other = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        monkeypatch.setattr(checkup_machine, "USUAL_PORTS", ((port, port), (port, other)))
        nothing_free, one_free = checkup_machine.free_ports()
    assert (nothing_free.verdict, str(port) in nothing_free.text) == ("bad", True)
    assert (one_free.verdict, str(other) in one_free.text) == ("good", True)


def record(*, begins: float, ends: float) -> CertificateRecord:
    return CertificateRecord(
        secret="default/a", names=["a.example"], issuer="x", not_before=begins * DAY, not_after=ends * DAY
    )


@pytest.mark.parametrize(
    ("begins", "ends", "verdict"),
    [(-30, 60, "good"), (-85, 5, "mind"), (-90, -1, "bad"), (1, 90, "bad"), (-5, 2, "good")],
)
def test_certificates_are_judged_by_their_dates(begins: float, ends: float, verdict: str) -> None:
    assert verdicts(checkup_gateway.certificates([record(begins=begins, ends=ends)], now=0.0)) == [verdict]


def test_names_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"here.example": "127.0.0.1", "there.example": "192.0.2.1"}

    def look_up(host: str, *_: object, **__: object) -> list[object]:
        if host not in addresses:
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses[host], 0))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    hosts = ["here.example", "there.example", "nowhere.example", "voice.localhost", "*.example"]
    findings = list(checkup_gateway.names(hosts, 8443))
    assert verdicts(findings) == ["good", "mind", "mind", "good"]
    assert "--resolve nowhere.example:8443:127.0.0.1" in findings[2].advice


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A port that shows a certificate for site.example.com, of an authority that is in ca.crt."""
    secret = certificate("site.example.com")
    chain, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    chain.write_bytes(bytes(secret.data["tls.crt"]))
    key.write_bytes(bytes(secret.data["tls.key"]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            connection, _address = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()
    listener.close()


def test_a_handshake_is_made_with_each_host(tmp_path: Path, tls_port: int) -> None:
    findings = checkup_gateway.handshakes(["site.example.com", "other.example.com"], tls_port, tmp_path / "tls.crt")
    assert verdicts(findings) == ["good", "mind"]


def test_a_port_that_does_not_answer_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    summary = Summary(
        version="0",
        pid=1,
        started=0,
        state="",
        directory=None,
        http_port=None,
        https_port=port,
        ready=True,
        resources_sent=0,
    )
    assert verdicts(checkup_gateway.listeners(summary)) == ["bad"]
    assert verdicts(checkup_gateway.handshakes(["a.example"], port, Path("none"))) == ["bad"]


def test_what_is_wrong_with_manifests_is_told() -> None:
    assert verdicts(checkup_gateway.problems([])) == ["good"]
    assert verdicts(checkup_gateway.problems(["a.yaml:1: bad"])) == ["bad"]


def test_apps_that_are_not_ready_are_told_with_what_they_lack() -> None:
    def app(name: str, phase: str, *messages: str) -> dict[str, Any]:
        conditions = [{"status": "False", "message": each} for each in messages]
        return {"metadata": {"name": name, "namespace": "a"}, "status": {"phase": phase, "conditions": conditions}}

    items = [app("sound", "Ready"), app("slow", "Starting", "no answer"), app("broken", "Failed", "no program")]
    slow, broken, sound = checkup_gateway.apps(items)
    assert (slow.verdict, slow.text) == ("mind", "slow is starting: no answer")
    assert (broken.verdict, broken.text) == ("bad", "broken is failed: no program")
    assert "isoline describe app broken -n a" in broken.advice
    assert (sound.verdict, sound.text) == ("good", "1 ready")


def test_all_of_it_is_run_and_told(isoline: Isoline, run: Run) -> None:
    answer = run("doctor")
    assert answer.code == 0
    assert "ok    isoline: 0 runs as pid 1" in answer.out
    isoline.state.path.chmod(0o755)
    answer = run("doctor")
    assert answer.code == 1
    assert f"chmod 700 {isoline.state.path}" in answer.out
    assert answer.err == "1 thing to put right\n"


def test_it_helps_where_nothing_runs(tmp_path: Path, run: Run) -> None:
    answer = run("doctor", "--state", str(tmp_path / "none"))
    assert "start it with `isoline up`" in answer.out
