"""The entry points of `isoline` and of `kubectl isoline`."""

import os
import sys


def main() -> None:
    """Runs the command that is given."""
    if sys.argv[1:] in (["version"], ["--version"]):
        # Scripts ask for it often, and building the command line takes longer than the answer.
        print_version()
        return
    from isoline.cli.commands import app

    try:
        app()
    except BrokenPipeError:
        # Whoever read it has seen enough: `isoline get | head`.
        sys.stderr.close()
        sys.exit(0)


def kubectl() -> None:
    """Runs the command that is given to `kubectl isoline`: about the cluster of the current context."""
    from isoline.cli.client import PLUGIN

    os.environ[PLUGIN] = "1"
    main()


def print_version() -> None:
    """Prints the program's name and version."""
    from isoline.version import VERSION

    sys.stdout.write(f"isoline {VERSION}\n")
