"""`make fuzz`: many examples, another choice of them each time unless a seed is given."""

import argparse
import logging
import random
import sys
from pathlib import Path

import structlog

from fuzz.session import fuzz


def main() -> None:
    """Print every finding with the objects that brought it; exit 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("examples", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--folder", type=Path, help="where Envoy's log is left")
    options = parser.parse_args()
    number = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    # The app is asked over every protocol there is, and says so.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.stdout.write(f"seed {number}\n")
    session = fuzz(options.examples, number=number, folder=options.folder)
    for finding in session.findings:
        sys.stdout.write(f"--- {finding}\n")
    sys.stdout.write(f"{session.objects} HTTPProxies, {len(session.findings)} findings\n")
    sys.exit(1 if session.findings else 0)


if __name__ == "__main__":
    main()
