"""Ports for replicas: each container port becomes a port of its own on the loopback address."""

import random
import socket
from collections.abc import Iterable, Mapping

from isoline.objects.containers import Container

ADDRESS = "127.0.0.1"
# Below the kernel's range for outgoing connections (32768 and up), so that none of those takes a port first.
FIRST, LAST = 20000, 32000


class PortAllocator:
    """Hands out ports that nobody listens on. It starts somewhere at random, so that two Isolines seldom meet."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._next = random.randint(FIRST, LAST)  # noqa: S311 - not a secret

    def take(self) -> int:
        """Return a free port. Raises OSError when there is none."""
        for _ in range(LAST - FIRST + 1):
            port = self._next
            self._next = FIRST if port >= LAST else port + 1
            if port not in self._taken and is_free(port):
                self._taken.add(port)
                return port
        raise OSError(f"no free port on {ADDRESS} between {FIRST} and {LAST}")

    def keep(self, ports: Iterable[int]) -> None:
        """Note that a replica of an earlier run has these ports."""
        self._taken.update(ports)

    def renew(self, real: dict[int, int]) -> None:
        """Replace those of a container's ports that another program has taken while the container did not run."""
        for number, port in real.items():
            if not is_free(port):
                real[number] = self.take()
                self._taken.discard(port)

    def release(self, ports: Iterable[int]) -> None:
        """Give ports back."""
        self._taken.difference_update(ports)


def is_free(port: int) -> bool:
    """Whether a program could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def declared(container: Container) -> tuple[int, ...]:
    """Return the TCP ports that a container declares, in order; 0 stands for the one of a container that names none."""
    ports = tuple(dict.fromkeys(port.container_port for port in container.ports if port.protocol == "TCP"))
    return ports or (0,)


def real_port(wanted: int | str, container: Container, real: Mapping[int, int]) -> int:
    """Return the port on which a container listens for a declared one, by number or name.

    A number that is not declared means the container's only port when it has just one, since that is all that its
    program was told to listen on; else it is taken as it is. Raises LookupError for a name that is not declared.
    """
    if isinstance(wanted, str) and not wanted.isdigit():
        for port in container.ports:
            if port.name == wanted:
                return real.get(port.container_port, port.container_port)
        raise LookupError(f"container {container.name} has no port named {wanted!r}")
    number = int(wanted)
    if number in real:
        return real[number]
    return next(iter(real.values())) if len(real) == 1 else number


def variables(container: Container, real: Mapping[int, int]) -> dict[str, str]:
    """Return what tells a program where to listen: HOST, PORT (its first port) and `PORT_<NAME>` for each named one."""
    told = {"HOST": ADDRESS, "PORT": str(next(iter(real.values())))}
    for port in container.ports:
        if port.name and port.container_port in real:
            told[f"PORT_{port.name.upper().replace('-', '_')}"] = str(real[port.container_port])
    return told
