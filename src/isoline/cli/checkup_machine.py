"""The check-up of the machine: folder, disk, clock, Envoy, graphics cards, ports, and what was left behind."""

import os
import resource
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from isoline.cli.checkup import Finding, bad, good, mind
from isoline.cluster.state import StateFolder
from isoline.console.certificates import facts_of
from isoline.envoy import binary
from isoline.processes import process

FEWEST_FREE_BYTES = 1 << 30
FEWEST_OPEN_FILES = 4096
SECONDS = 5.0
USUAL_PORTS = ((443, 8443), (80, 8080))


def state_folder(state: StateFolder) -> Iterator[Finding]:
    if not state.path.exists():
        yield mind("state folder", f"{state.path} is not there yet", "`isoline up` makes it")
        return
    status = state.path.stat()
    if status.st_uid != os.getuid():
        yield bad("state folder", f"{state.path} belongs to user {status.st_uid}", "run Isoline as that user")
    elif stat.S_IMODE(status.st_mode) & 0o077:
        yield bad("state folder", f"others may look into {state.path}", f"chmod 700 {state.path}")
    else:
        yield good("state folder", str(state.path))
    for damaged in sorted(state.path.glob("objects.damaged-*.sqlite3")):
        yield mind("state folder", f"{damaged.name} is a damaged database", "remove it when nothing in it is missed")


def disk(state: StateFolder) -> Iterator[Finding]:
    place = next(folder for folder in (state.path, *state.path.parents) if folder.exists())
    usage = shutil.disk_usage(place)
    told = f"{usage.free / (1 << 30):.1f} GiB free of {usage.total / (1 << 30):.0f} at {place}"
    if usage.free < FEWEST_FREE_BYTES:
        yield bad("disk", told, "free some: what changes cannot be kept when it is full")
    elif usage.free < usage.total * 0.05:
        yield mind("disk", told, "free some before it is full")
    else:
        yield good("disk", told)


def clock(state: StateFolder) -> Iterator[Finding]:
    now = time.time()
    newest = max((path.stat().st_mtime for path in state.path.glob("*") if path.is_file()), default=0.0)
    if newest > now + 60:
        yield bad(
            "clock", "it is earlier than when Isoline last wrote something", "set the clock: certificates depend on it"
        )
        return
    told = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if _output("timedatectl", "show", "--property=NTPSynchronized", "--value") == "no":
        yield mind("clock", f"{told}, not synchronised", "timedatectl set-ntp true")
    else:
        yield good("clock", told)


def envoy() -> Iterator[Finding]:
    try:
        path = binary.path()
    except binary.EnvoyMissingError as error:
        yield bad("envoy", str(error), "install it, then look again")
        return
    answer = _output(str(path), "--version")
    if answer is None:
        yield bad("envoy", f"{path} does not start", "it needs Linux on x86-64 or arm64 with glibc 2.17 or later")
    else:
        yield good("envoy", f"{binary.version()} at {path}")


def graphics_cards() -> Iterator[Finding]:
    cards = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if cards:
        yield good("gpu", "; ".join(cards.splitlines()))
    elif any(Path("/dev").glob("nvidia[0-9]*")):
        yield mind(
            "gpu",
            "there is a card, but nvidia-smi does not answer",
            "install the driver's tools that fit the kernel module",
        )
    else:
        yield good("gpu", "none: apps run in their CPU variant where they have one")


def open_files() -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEWEST_OPEN_FILES:
        advice = (
            f"ulimit -n {min(hard, 65536) if hard > 0 else 65536}" if hard != soft else "raise nofile in limits.conf"
        )
        yield mind("open files", f"at most {soft} for each process: so many connections", advice)
    else:
        yield good("open files", f"at most {soft} for each process")


def authority(state: StateFolder) -> Iterator[Finding]:
    """The local certificate authority, where there is one."""
    if not state.ca_certificate.exists():
        return
    facts = facts_of(state.ca_certificate.read_bytes())
    if facts is None:
        yield bad("local ca", f"{state.ca_certificate} cannot be read", "remove ca.crt and ca.key: a new one is made")
        return
    left = facts.not_after.timestamp() - time.time()
    told = f"valid until {facts.not_after:%Y-%m-%d}"
    if left <= 0:
        yield bad("local ca", told, "remove ca.crt and ca.key: a new one is made, which is to be trusted anew")
    else:
        yield good("local ca", told + "; `isoline trust` has this machine trust it")
    if state.ca_key.exists() and stat.S_IMODE(state.ca_key.stat().st_mode) & 0o077:
        yield bad("local ca", f"others may read {state.ca_key}", f"chmod 600 {state.ca_key}")


def leftovers(state: StateFolder) -> Iterator[Finding]:
    """What still runs although no Isoline does: after a kill it may serve on, until somebody takes over."""
    folders = sorted(state.processes.iterdir()) if state.processes.is_dir() else []
    alive = [
        found.name for folder in folders if (found := process.load(folder)) is not None and found.exit_status is None
    ]
    if alive:
        yield mind(
            "leftovers", f"still running: {', '.join(alive)}", "`isoline up` takes them over, `isoline down` stops them"
        )


def free_ports() -> Iterator[Finding]:
    for ports in USUAL_PORTS:
        reasons = {port: _why_not(port) for port in ports}
        free = [port for port, reason in reasons.items() if not reason]
        if free:
            yield good("ports", f"{free[0]} can be used")
        else:
            told = "; ".join(f"{port}: {reason}" for port, reason in reasons.items())
            yield bad(
                "ports", told, f"`ss -ltnp 'sport = :{ports[1]}'` shows who listens; or give others to `isoline up`"
            )


def _why_not(port: int) -> str:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            return error.strerror or "cannot be bound"
    return ""


def _output(*command: str) -> str | None:
    """What a program prints; None when there is no such program, or it fails."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
