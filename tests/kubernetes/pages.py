"""The commands of a page of the documentation, run as its reader would."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from kubernetes.charts import CHART
from kubernetes.rig import Rig
from kubernetes.rig.binaries import helm, kubectl

DOCS = CHART.parents[1] / "docs"
CONTEXT = "production"
_INLINE = re.compile(r"`((?:kubectl|helm|isoline) [^\s`]+ [^`]+)`")
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^```yaml\n# ([\w.-]+\.yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)


def commands(page: str) -> list[str]:
    """Return the commands of a page: those after a prompt, and those within a sentence."""
    prompted = [each for block in _BLOCK.findall(page) for each in _COMMAND.findall(block)]
    plain = [re.sub(r"\s*\\\n\s*", " ", re.sub(r"\s+# .*$", "", each)) for each in prompted]
    return list(dict.fromkeys([*plain, *_INLINE.findall(_BLOCK.sub("", page))]))


class Reader:
    """Somebody with a home, a kubeconfig and a checkout, who writes a page's files, and runs its commands and no other.

    `instead` says what stands for a word of the page, such as NAME.
    """

    def __init__(self, rig: Rig, home: Path, page: str, instead: Mapping[str, str], *, namespace: str) -> None:
        """`namespace` is the one of the kubeconfig's context."""
        self.text = (DOCS / page).read_text()
        self.left = commands(self.text)
        """Those that have not been run yet."""
        self.home = home
        self._page = page
        self._instead = instead
        (home / ".kube").mkdir(exist_ok=True)
        config = yaml.safe_load(rig.kubeconfig.read_text())
        config["contexts"][0]["name"] = config["current-context"] = CONTEXT
        config["contexts"][0]["context"]["namespace"] = namespace
        (home / ".kube" / "config").write_text(yaml.safe_dump(config))
        (home / ".kube" / "config").chmod(0o600)
        (home / "ca.pem").write_bytes(rig.authority.certificate)
        for name, content in _FILE.findall(self.text):
            (home / name).write_text(content)
        if not (home / "charts").exists():
            (home / "charts").symlink_to(CHART.parent)

    async def run(self, *wanted: str) -> str:
        """Run commands of the page in one shell; returns what they print. Raises AssertionError if one fails."""
        running = await self.start(*wanted)
        output, _ = await running.communicate()
        assert running.returncode == 0, f"{wanted}: {output.decode()}"
        return output.decode()

    async def start(self, *wanted: str) -> asyncio.subprocess.Process:
        """Start commands of the page."""
        known = commands(self.text)
        for each in wanted:
            assert each in known, f"{self._page} has no command {each!r}"
        self.left = [each for each in self.left if each not in wanted]
        script = "\n".join(wanted)
        for word, stands in self._instead.items():
            script = re.sub(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", stands, script)
        programs = [kubectl().parent, helm().parent, Path(sys.executable).parent]
        path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "HOME": str(self.home), "CURL_CA_BUNDLE": str(self.home / "ca.pem")}
        environment.pop("KUBECONFIG", None)
        return await asyncio.create_subprocess_exec(
            *("bash", "-euc", script), cwd=self.home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
