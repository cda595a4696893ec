"""Isoline on one machine: `isoline up` on a directory with the corpus, as a user starts it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from kubernetes.rig import Rig
from kubernetes.rig.waiting import until

from .corpus import Corpus
from .settings import gateway_config
from .statuses import Status, by_name

HTTP_PORT: Final = 9080
HTTPS_PORT: Final = 9443

_COMMAND: Final = Path(sys.executable).with_name("isoline")
_SETTLED_AFTER: Final = 2.0  # seconds without a change of any status
_WITHIN: Final = 60.0


@asynccontextmanager
async def running(rig: Rig, corpus: Corpus) -> AsyncIterator[Path]:
    """Serve the corpus from a directory; gives the state folder."""
    manifests = rig.folder / "manifests"
    manifests.mkdir()
    config = gateway_config(corpus, http_port=HTTP_PORT, https_port=HTTPS_PORT)
    (manifests / "corpus.yaml").write_text(yaml.safe_dump_all([config, *corpus.at_first], sort_keys=False))
    state = rig.folder / "state"
    environment = {**os.environ, "NO_COLOR": "1"}
    process = rig.spawn("isoline", [_COMMAND, "up", manifests, "--state", state], environment=environment)
    try:
        await until(lambda: process.poll() is not None or _all(state, "HTTPProxy"), every=1)
        assert process.poll() is None, rig.log("isoline")
        (manifests / "later.yaml").write_text(yaml.safe_dump_all(corpus.later, sort_keys=False))
        yield state
    finally:
        rig.stop("isoline", patience=30)


async def statuses(state: Path) -> dict[str, Status]:
    """Return the statuses once they have come to rest."""
    before: dict[str, Status] = {}
    deadline = asyncio.get_running_loop().time() + _WITHIN
    while True:
        await asyncio.sleep(_SETTLED_AFTER)
        found = by_name([each for kind in ("HTTPProxy", "ExtensionService", "Ingress") for each in _all(state, kind)])
        if (found and found == before) or asyncio.get_running_loop().time() > deadline:
            return found
        before = found


def _all(state: Path, kind: str) -> list[dict[str, Any]]:
    command = [str(_COMMAND), "get", kind, "-A", "-o", "json", "--state", str(state)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return []
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    items: list[dict[str, Any]] = found.get("items", [found])
    return [each for each in items if each]
