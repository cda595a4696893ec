"""`make cluster`: a Kubernetes to try things on, until Ctrl-C."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from . import Api, Image, Node, Rig, UnavailableError

_CONTOURS_KINDS = Path(__file__).parent / "crds" / "projectcontour.io.yaml"
_HOW = """
Kubernetes is up. Another terminal gets into its network by

    nsenter --net=/proc/{pid}/ns/net
    export KUBECONFIG={kubeconfig}

and there kubectl, helm, and curl to Services' addresses work. Pods are processes of this machine:
the image `host` runs the pod's command as it is. Contour's kinds are installed. Ctrl-C ends everything.
"""


def main() -> None:
    """Run a cluster with one node until the first signal."""
    with tempfile.TemporaryDirectory(prefix="isoline-cluster-") as folder:
        try:
            rig = Rig(Path(folder), workloads=True)
        except UnavailableError as reason:
            sys.exit(str(reason))
        with rig, rig.inside():
            asyncio.run(_serve(rig))


async def _serve(rig: Rig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Api(rig) as api:
        await api.apply_files(_CONTOURS_KINDS)
        async with Node(rig, api, {"host": Image(())}):
            sys.stdout.write(_HOW.format(pid=rig.namespace.pid, kubeconfig=rig.kubeconfig))
            sys.stdout.flush()
            with contextlib.suppress(asyncio.CancelledError):
                await stop.wait()


main()
