"""`make parity`: ask both, tell every difference, and keep Contour's answers for `make test`."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec
import yaml

from kubernetes.rig import Api, Rig, UnavailableError

from . import cases, corpus, ours, report, theirs
from .echo import Echoes


def main() -> None:
    """Run both, write `docs/parity.md`; exit 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m parity", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="do not record Contour's answers, nor write the page")
    parser.add_argument("--folder", type=Path, help="where logs and state are left, to look into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="isoline-parity-") as folder:
        try:
            rig = Rig(options.folder or Path(folder) / "rig")
        except UnavailableError as reason:
            sys.exit(str(reason))
        with rig, rig.inside():
            recorded, own = asyncio.run(_both(rig))
    if not options.keep:
        report.record(recorded)
    if options.folder:
        for name, answers in (("theirs", recorded), ("ours", own)):
            (options.folder / f"{name}.yaml").write_text(yaml.safe_dump(answers._asdict(), width=150))
    table = report.compare(recorded, own)
    sys.stdout.write(report.text(table))
    if not options.keep:
        report.write_page(table)
    sys.exit(1 if any(each.verdict == "wrong" for each in table) else 0)


async def _both(rig: Rig) -> tuple[report.Answers, report.Answers]:
    objects = corpus.load()
    requests = cases.load()
    for backend in objects.backends:
        rig.namespace.add_address(backend.address)
    with Echoes(objects.backends):
        async with Api(rig) as api, theirs.running(rig, api, objects), ours.running(rig, objects) as state:
            their_statuses = await theirs.statuses(api)
            our_statuses = await ours.statuses(state)
            answers = [
                {each.name: msgspec.to_builtins(cases.ask(each, "127.0.0.1", *ports)) for each in requests}
                for ports in ((theirs.HTTP_PORT, theirs.HTTPS_PORT), (ours.HTTP_PORT, ours.HTTPS_PORT))
            ]
    return report.Answers(their_statuses, answers[0]), report.Answers(our_statuses, answers[1])


main()
