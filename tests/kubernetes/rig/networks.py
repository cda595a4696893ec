"""Networks beside the rig's own, which is the node's: those of pods, and the one that Services' addresses lead to."""

import itertools
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from .namespace import NETWORK, Namespace, entered

_GATEWAY: Final = "169.254.1.1"
_NODE: Final = "10.200.0.1"
_PATIENCE: Final = 30.0  # seconds
_numbers = itertools.count()


class PodNetwork:
    """A network namespace with one address, routed to and from the rig's. It lasts until `close`.

    What a pod binds at every address is bound at its own, and two pods may use one port.
    """

    def __init__(self, namespace: Namespace) -> None:
        """Raises CalledProcessError where this machine has no virtual Ethernet."""
        self.address = namespace.next_address()
        self._namespace = namespace
        # As a pod's pause container: it does nothing, and holds the network.
        self._holder = namespace.spawn(
            ["unshare", "--net", "sleep", "infinity"], folder=Path("/"), log=subprocess.DEVNULL
        )
        self.path = Path(f"/proc/{self._holder.pid}/ns/net")
        """The network, for `nsenter` from outside of the rig."""
        self._wait()
        device, pid = f"pod{next(_numbers)}", str(self._holder.pid)
        enter = f"nsenter --net={self.path} ip"
        namespace.run(
            [
                "sh",
                "-ec",
                f"""
                echo 1 > /proc/sys/net/ipv4/ip_forward
                ip address replace {_GATEWAY}/32 dev lo
                ip link add {device} type veth peer name eth0 netns {pid}
                ip link set {device} up
                ip route add {self.address}/32 dev {device} src {_NODE}
                {enter} link set lo up
                {enter} link set eth0 up
                {enter} address add {self.address}/32 dev eth0
                {enter} route add {_GATEWAY}/32 dev eth0 scope link
                {enter} route add default via {_GATEWAY} dev eth0
                """,
            ]
        )

    def close(self) -> None:
        """Take the pod off the network: connections to it hang from then on."""
        self._holder.kill()
        self._holder.wait()

    def _wait(self) -> None:
        """Until the holder has a network of its own."""
        with self._namespace.inside():
            ours = Path("/proc/thread-self/ns/net").readlink()
        deadline = time.monotonic() + _PATIENCE
        while self.path.readlink() == ours or Path(f"/proc/{self._holder.pid}/comm").read_text() != "sleep\n":
            if time.monotonic() > deadline:
                raise TimeoutError("unshare does not come to its end")
            time.sleep(0.005)


class ServiceNetwork:
    """Where all addresses of Services are at home: on its own addresses a node has every port to itself."""

    def __init__(self, namespace: Namespace, addresses: str) -> None:
        """`addresses` is the network of Services'. Raises CalledProcessError as a PodNetwork does."""
        self._own = PodNetwork(namespace)
        namespace.run(
            [
                "sh",
                "-ec",
                f"""
                ip route replace {addresses} via {self._own.address} src {_NODE}
                nsenter --net={self._own.path} ip route add local {addresses} dev lo
                """,
            ]
        )

    def listen(self, address: str, port: int) -> socket.socket:
        """Return a socket that listens at a Service's address."""
        network = os.open(self._own.path, os.O_RDONLY)
        try:
            with entered(network, "net", NETWORK):
                return socket.create_server((address, port), backlog=128)
        finally:
            os.close(network)

    def close(self) -> None:
        """Take the addresses away."""
        self._own.close()
