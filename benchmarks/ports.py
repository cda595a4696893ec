"""Ports for what a benchmark or a test starts."""

import random
import socket

# Below those that systems give to outgoing connections, one of which could have the port before it is listened at.
_CANDIDATES = range(12_000, 32_000)
_lots = random.SystemRandom()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at, and that no client will be given."""
    while True:
        port = _lots.choice(_CANDIDATES)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
