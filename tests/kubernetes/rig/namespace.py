"""A network of the rig's own: nothing in it clashes with another rig, and nothing outlives the process that made it.

Addresses such as 10.200.0.9 are needed because EndpointSlices refuse loopback addresses. All processes of a rig stand
in one PID namespace as well, so the kernel ends every one of them, children's children too, when its first process
ends; that one reads a pipe of ours and ends with it, however we end.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self

from .binaries import UnavailableError

NETWORK: Final = 0x40000000  # CLONE_NEWNET
_PROCESSES: Final = 0x20000000  # CLONE_NEWPID
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_FIRST = "ip link set lo up && echo ready && exec cat"


class Namespace:
    """Network, mounts and process ids of one rig.

    Only the thread that is `inside` is in the network, with the threads it starts there, so other tests of the same
    process see nothing of it. A server or client started inside stays inside.
    """

    def __init__(self) -> None:
        """Make it; raises UnavailableError where this user may not."""
        unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._first = subprocess.Popen(
            [*unshare, "sh", "-c", _FIRST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._first.stdout is not None
        assert self._first.stderr is not None
        if self._first.stdout.readline() != b"ready\n":
            said = self._first.stderr.read().decode().strip()
            self.close()
            raise UnavailableError(
                f"a network namespace needs root: try again under `unshare --map-root-user` ({said})"
            )
        of_first = Path("/proc") / str(self._first.pid) / "ns"
        self._network = os.open(of_first / "net", os.O_RDONLY)
        self._processes = os.open(of_first / "pid_for_children", os.O_RDONLY)
        self._mounts = of_first / "mnt"
        self._spawned: list[subprocess.Popen[bytes]] = []
        self._last = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process in it."""
        for stream in (self._first.stdin, self._first.stdout, self._first.stderr):
            if stream is not None:
                stream.close()
        # The kernel kills them all now, and the first process is not gone before each was waited for.
        for process in getattr(self, "_spawned", ()):
            process.wait()
        self._first.wait()
        for descriptor in (getattr(self, "_network", None), getattr(self, "_processes", None)):
            if descriptor is not None:
                with suppress(OSError):
                    os.close(descriptor)

    @property
    def pid(self) -> int:
        """A process that is in the network, for `nsenter`."""
        return self._first.pid

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Put this thread into the network for as long as the block lasts."""
        with entered(self._network, "net", NETWORK):
            yield

    def new_address(self) -> str:
        """Return an address (10.200.x.y) that nothing else in this network has."""
        address = self.next_address()
        self.add_address(address)
        return address

    def next_address(self) -> str:
        """Return such an address for who will have it elsewhere, in a network that is routed to."""
        self._last += 1
        return f"10.200.{self._last // 250}.{self._last % 250 + 1}"

    def add_address(self, address: str) -> None:
        """Make `address` one of this machine's, seen from inside."""
        self.run(["ip", "address", "add", f"{address}/32", "dev", "lo"])

    def drop_address(self, address: str) -> None:
        """Let go of an address; connections to it hang from then on, as to a machine that is gone."""
        self.run(["ip", "address", "delete", f"{address}/32", "dev", "lo"])

    def run(self, command: Sequence[str]) -> None:
        """Run a command inside to its end; raises CalledProcessError if it fails."""
        with self.inside():
            subprocess.run(command, check=True, capture_output=True)

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        log: IO[bytes] | int | None,
        environment: Mapping[str, str] | None = None,
        network: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process inside, with stdout and stderr in `log`; it leads a process group of its own.

        `network` is another network than this one.
        """
        # nsenter enters by exec, so the process keeps the id that Popen knows.
        places = [f"--mount={self._mounts}", *([f"--net={network}"] if network is not None else [])]
        enter = ["nsenter", *places, "sh", "-c", 'cd "$0" && exec "$@"', str(folder)]
        with self.inside(), entered(self._processes, "pid_for_children", _PROCESSES):
            process = subprocess.Popen(
                [*enter, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                process_group=0,
            )
        self._spawned = [each for each in self._spawned if each.poll() is None] + [process]
        return process


@contextmanager
def entered(target: int, name: str, kind: int) -> Iterator[None]:
    """Put this thread into another namespace, of which `target` is an open file, for as long as the block lasts."""
    before = os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY)
    try:
        _set_namespace(target, kind)
        try:
            yield
        finally:
            _set_namespace(before, kind)
    finally:
        os.close(before)


def _set_namespace(descriptor: int, kind: int) -> None:
    if _LIBC.setns(descriptor, kind):
        code = ctypes.get_errno()
        raise OSError(code, f"setns: {os.strerror(code)}")
