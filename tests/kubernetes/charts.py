"""The Helm chart, as Helm renders and installs it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from kubernetes.rig.binaries import helm

CHART = Path(__file__).parents[2] / "charts" / "isoline"

Object = dict[str, Any]


def run_helm(*arguments: str | Path) -> str:
    """Return what Helm prints; raises AssertionError with what it says when it fails."""
    done = subprocess.run([helm(), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def flags(values: Sequence[str]) -> list[str]:
    """Return the flags that set some values, each `name=value`."""
    return [part for value in values for part in ("--set", value)]


def rendered(*values: str, name: str = "isoline", namespace: str = "isoline-system") -> list[Object]:
    """Return the objects that the chart stands for, hooks too."""
    text = run_helm("template", name, CHART, "--namespace", namespace, *flags(values))
    return [each for each in yaml.safe_load_all(text) if each]
