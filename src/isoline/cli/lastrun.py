"""What the last `isoline up` on a state folder chose, for the next one to begin with before it has read anything."""

from pathlib import Path

import msgspec

from isoline.cli.ports import Ports, cannot_bind
from isoline.cluster.state import write_private
from isoline.objects import GatewayConfig, GatewayConfigSpec, parse_quantity

FILE = "last-run.json"


class EnvoyLimits(msgspec.Struct, frozen=True):
    """The settings that Envoy reads only when it starts."""

    heap_bytes: int
    connections: int


class LastRun(msgspec.Struct, frozen=True):
    ports: Ports
    limits: EnvoyLimits

    def write(self, state: Path) -> None:
        write_private(state / FILE, msgspec.json.encode(self))

    def fits(self, *, http: int | None, https: int | None) -> bool:
        """Whether its listeners are what is asked for now, and can be bound."""
        asked = http in (None, self.ports.http) and https in (None, self.ports.https)
        return asked and not any(cannot_bind(port) for port in (self.ports.http, self.ports.https))


def read(state: Path) -> LastRun | None:
    """None where there was no last run."""
    try:
        return msgspec.json.decode((state / FILE).read_bytes(), type=LastRun)
    except (OSError, msgspec.MsgspecError):
        return None


def limits_of(config: GatewayConfig | None) -> EnvoyLimits:
    limits = (config.spec if config is not None else GatewayConfigSpec()).limits
    return EnvoyLimits(int(parse_quantity(limits.heap)), limits.connections)
