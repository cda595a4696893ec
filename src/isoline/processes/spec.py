"""What is asked of a supervised process, and how it ended."""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


class StartError(Exception):
    """The process could not be started; the message is a sentence for the user, with what to do."""


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """A program to run and keep an eye on.

    `name` is unique in its table and becomes a folder's name. `env` is the whole environment: nothing is inherited. It
    may hold secrets, so it is left out of `repr`, and the file that keeps it is readable by its owner only.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None
    stop_signal: int = int(signal.SIGTERM)
    grace: float = 30.0
    """Seconds between the stop signal and SIGKILL; the default is Kubernetes's terminationGracePeriodSeconds."""
    memory_bytes: int | None = None
    cpu_cores: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    log_max_bytes: int = 10 * 1024 * 1024
    """Size at which the log is rotated; the default is the kubelet's containerLogMaxSize."""
    log_files: int = 5
    """Files of log kept, the current one included; the default is the kubelet's containerLogMaxFiles."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} is no name for a process: use letters, digits, '.', '_' and '-', at most 201"
            )
        if not self.argv:
            raise ValueError(f"process {self.name}: argv is empty")
        if self.log_files < 1:
            raise ValueError(f"process {self.name}: log_files is {self.log_files}, at least 1 is needed")


@dataclass(frozen=True, kw_only=True)
class ExitStatus:
    """How a process ended. Both `code` and `signal` are None when nobody was there to see it, as after a power cut."""

    code: int | None
    signal: int | None
    at: float
    """Seconds since the epoch."""
    last_words: str
    """The last lines it wrote, at most 4 kB."""
    oom_killed: bool = False
    """The kernel killed it, or something it started, for going over `memory_bytes`."""

    @property
    def reason(self) -> str:
        """Kubernetes's word for it: `Completed`, `OOMKilled`, `Error` or `Unknown`."""
        if self.oom_killed:
            return "OOMKilled"
        if self.code is None and self.signal is None:
            return "Unknown"
        return "Completed" if self.code == 0 else "Error"

    def __str__(self) -> str:
        """A short sentence part such as `exited with code 3` or `was ended by SIGKILL`."""
        if self.oom_killed:
            return "was killed for using more memory than its limit"
        if self.signal is not None:
            try:
                return f"was ended by {signal.Signals(self.signal).name}"
            except ValueError:
                return f"was ended by signal {self.signal}"
        return "ended unseen" if self.code is None else f"exited with code {self.code}"
