"""Which ports the gateway listens on: what was asked for, what runs already, else the usual ones."""

import errno
import socket
from typing import NamedTuple

from isoline.objects import GatewayConfig

USUAL = {"http": (80, 8080), "https": (443, 8443)}


class PortError(RuntimeError):
    """A port cannot be bound; the text says why and what to do."""


class Ports(NamedTuple):
    http: int
    https: int
    why: str = ""
    """Why they are not the usual ones; empty where there is nothing to say."""


def choose(config: GatewayConfig | None, *, http: int | None, https: int | None, running: Ports | None) -> Ports:
    """The ports of a gateway.

    In this order: the GatewayConfig's, the command's (`http`, `https`), those of the gateway that runs already, 80 and
    443, 8080 and 8443. Raises PortError when a port is asked for, or is the last choice, and cannot be bound.
    """
    listeners = config.spec.listeners if config is not None else None
    chosen: dict[str, int] = {}
    reasons: list[str] = []
    for scheme, asked in (("http", http), ("https", https)):
        declared = getattr(listeners, scheme).port if listeners is not None else None
        known = getattr(running, scheme) if running is not None else None
        wanted = declared or asked
        if known is not None and wanted in (None, known):
            # It is taken, by our own gateway.
            chosen[scheme] = known
        elif wanted is not None:
            problem = cannot_bind(wanted)
            if problem is not None:
                other = f"spec.listeners.{scheme}.port of the GatewayConfig" if declared else f"--{scheme}-port"
                raise PortError(f"port {wanted} for {scheme} cannot be bound: {problem}; give another by {other}")
            chosen[scheme] = wanted
        else:
            chosen[scheme], reason = _usual(scheme)
            reasons += [reason] if reason else []
    return Ports(chosen["http"], chosen["https"], "; ".join(reasons))


def _usual(scheme: str) -> tuple[int, str]:
    first, second = USUAL[scheme]
    problem = cannot_bind(first)
    if problem is None:
        return first, ""
    other = cannot_bind(second)
    if other is None:
        return second, f"{first} cannot be bound: {problem}"
    raise PortError(
        f"neither port {first} ({problem}) nor port {second} ({other}) can be bound for {scheme}; "
        f"give another by --{scheme}-port"
    )


def cannot_bind(port: int) -> str | None:
    """Why this port cannot be listened on, on all addresses; None if it can."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("0.0.0.0", port))
            listener.listen(1)
        except PermissionError:
            return "not permitted to this user"
        except OSError as error:
            return "in use by another program" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return None
