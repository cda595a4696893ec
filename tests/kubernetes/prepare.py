"""Builds what the tests on Kubernetes run, before any test's clock does. Without Go that is no fault: they skip."""

import shutil
import sys

from kubernetes.rig import UnavailableError
from kubernetes.rig.binaries import contour, control_plane, helm, kubectl


def main() -> int:
    """Return the exit code."""
    try:
        control_plane()
        contour()
        helm()
        kubectl()
    except UnavailableError as reason:
        sys.stderr.write(f"the tests on Kubernetes are skipped: {reason}\n")
        return 1 if shutil.which("go") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
