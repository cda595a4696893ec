"""A container of a pod, and what its image is here."""

import datetime as dt
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .api import Object


class Image(NamedTuple):
    """What an image is here: a program of this machine."""

    entrypoint: tuple[str, ...]
    environment: Mapping[str, str] = {}


@dataclass
class Container:
    """A container of a running pod, and how it fares."""

    spec: Object
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    waiting: Object | None = field(default_factory=lambda: {"reason": "PodInitializing"})
    exit_code: int | None = None
    restarts: int = 0
    ready: bool = False
    started_at: str = ""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def status(self) -> Object:
        """Return its entry of `status.containerStatuses`."""
        state: Object
        if self.running:
            state = {"running": {"startedAt": self.started_at}}
        elif self.exit_code is not None and self.waiting is None:
            reason = "Error" if self.exit_code else "Completed"
            state = {"terminated": {"exitCode": self.exit_code, "reason": reason, "finishedAt": now()}}
        else:
            state = {"waiting": self.waiting or {"reason": "ContainerCreating"}}
        identity = f"rig://{self.process.pid}" if self.process else ""
        common = {"name": self.spec["name"], "image": self.spec["image"], "imageID": self.spec["image"]}
        return common | {
            "containerID": identity,
            "ready": self.ready,
            "started": self.running,
            "restartCount": self.restarts,
            "state": state,
        }


def now() -> str:
    """The time as Kubernetes writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
