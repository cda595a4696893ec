"""The programs that the rig runs: found, or built once into a cache outside the repository.

Kubernetes's control plane and etcd are one program of ours (`kubernetes/`), which does what the name it is called by
says.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

KUBERNETES_VERSION: Final = "1.36.3"
CONTOUR_VERSION: Final = "1.33.8"
HELM_VERSION: Final = "4.3.1"

_CONTROL_PLANE: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_SOURCE: Final = Path(__file__).parent / "kubernetes"


class UnavailableError(Exception):
    """The rig cannot run here; the message says why and what to do. Tests skip with it."""


class ControlPlane(NamedTuple):
    """Where the programs of Kubernetes's control plane are."""

    etcd: Path
    api_server: Path
    controller_manager: Path
    scheduler: Path


def control_plane() -> ControlPlane:
    """Return etcd and Kubernetes: from KUBEBUILDER_ASSETS if it has all four, else from the cache, built if need be.

    Raises UnavailableError where there is neither a Go toolchain nor a folder with all programs.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and all((Path(assets) / name).is_file() for name in _CONTROL_PLANE):
        return ControlPlane(*(Path(assets) / name for name in _CONTROL_PLANE))
    digest = hashlib.sha256()
    for source in ("go.mod", "go.sum", "main.go"):
        digest.update((_SOURCE / source).read_bytes())
    folder = cache() / f"kubernetes-{KUBERNETES_VERSION}-{digest.hexdigest()[:12]}"
    major, minor, _ = KUBERNETES_VERSION.split(".")
    stamp = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamp.items())
    with _made(folder, f"Kubernetes {KUBERNETES_VERSION} and etcd (about 4 minutes, once)") as made:
        if made is not None:
            program = made / "kubernetes"
            arguments = ("build", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {flags}", "-o", str(program), ".")
            _go(arguments, folder=_SOURCE)
            for name in _CONTROL_PLANE:
                (made / name).symlink_to(program.name)
    return ControlPlane(*(folder / name for name in _CONTROL_PLANE))


def contour() -> Path:
    """Return Contour's program. Raises UnavailableError as `control_plane` does."""
    return _installed("contour", f"github.com/projectcontour/contour/cmd/contour@v{CONTOUR_VERSION}", CONTOUR_VERSION)


def helm() -> Path:
    """Return Helm's program. Raises UnavailableError as `control_plane` does."""
    return _installed("helm", f"helm.sh/helm/v4/cmd/helm@v{HELM_VERSION}", HELM_VERSION)


def kubectl() -> Path:
    """Return kubectl's program. Raises UnavailableError as `control_plane` does."""
    source = Path(__file__).parent / "kubectl"
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in ("go.mod", "go.sum", "main.go")))
    folder = cache() / f"kubectl-{KUBERNETES_VERSION}-{digest.hexdigest()[:12]}"
    flags = f"-s -w -X k8s.io/component-base/version.gitVersion=v{KUBERNETES_VERSION}"
    with _made(folder, f"kubectl {KUBERNETES_VERSION} (about a minute, once)") as made:
        if made is not None:
            arguments = ("build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(made / "kubectl"), ".")
            _go(arguments, folder=source)
    return folder / "kubectl"


def cache() -> Path:
    """The folder for what is built once: `isoline` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isoline"


def _installed(name: str, package: str, version: str) -> Path:
    folder = cache() / f"{name}-{version}"
    with _made(folder, f"{name} {version} (about 2 minutes, once)") as made:
        if made is not None:
            _go(("install", package), folder=made, binaries=made)
    return folder / name


@contextmanager
def _made(folder: Path, what: str) -> Iterator[Path | None]:
    """Give a new folder to fill, which then becomes `folder`; None if that is there. One process at a time builds."""
    if folder.is_dir():
        yield None
        return
    if shutil.which("go") is None:
        raise UnavailableError(
            "a Kubernetes to test with is built by Go, which is not installed (nor does KUBEBUILDER_ASSETS name a "
            f"folder with {', '.join(_CONTROL_PLANE)}): install Go 1.26 or newer"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            yield None
            return
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            made = Path(temporary) / folder.name
            made.mkdir()
            sys.__stderr__ and print(f"building {what} in {folder}", file=sys.__stderr__, flush=True)
            yield made
            made.rename(folder)


def _go(arguments: Sequence[str], *, folder: Path, binaries: Path | None = None) -> None:
    environment = os.environ | {"CGO_ENABLED": "0"} | ({"GOBIN": str(binaries)} if binaries else {})
    done = subprocess.run(["go", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join(done.stderr.splitlines()[-15:])
        raise UnavailableError(f"`go {' '.join(arguments)}` failed in {folder}:\n{last}")
