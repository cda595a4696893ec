"""A real Kubernetes in a network namespace: etcd and the API server; controller manager and scheduler if asked for."""

import contextlib
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec

from . import binaries
from .credentials import ADMIN_GROUP, Authority, User, private_pem, users, write_kubeconfig, write_tokens
from .namespace import Namespace

SERVER: Final = "https://10.200.0.1:6443"
SERVICE_ADDRESSES: Final = "10.96.0.0/16"

_READY_WITHIN: Final = 60.0  # seconds; two cores that others use as well
_ADDRESS: Final = "10.200.0.1"
_SERVICE_ADDRESS: Final = "10.96.0.1"
_USERS: Final = {
    "admin": (ADMIN_GROUP,),
    "system:kube-controller-manager": (),
    "system:kube-scheduler": (),
    "nobody": (),
}


class Rig:
    """One Kubernetes, everything it needs in `folder`.

    `inside()` puts the calling thread where the API server can be reached; processes are started there by `spawn`.
    All processes end with `close`, and also when this process is killed.
    """

    def __init__(self, folder: Path, *, workloads: bool = False) -> None:
        """Start it, and return when the API server is ready (2 s).

        With `workloads` there are a controller manager and a scheduler too: Deployments, EndpointSlices, garbage
        collection. Raises UnavailableError where it cannot run.
        """
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._programs = binaries.control_plane()
        self.namespace = Namespace()
        try:
            self._users = users(_USERS)
            self.authority = Authority("rig")
            self._write_files()
            self.namespace.add_address(_ADDRESS)
            self.start_etcd()
            self.start_api_server()
            if workloads:
                self.start_workloads()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the rig and remove what etcd has kept; logs stay."""
        self.namespace.close()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Put this thread into the rig's network for as long as the block lasts."""
        with self.namespace.inside():
            yield

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfig_of("admin")

    def kubeconfig_of(self, user: str) -> Path:
        """Return a kubeconfig of `admin`, or of `nobody`, to whom a test may bind roles."""
        path = self.folder / f"kubeconfig-{user.removeprefix('system:')}"
        if not path.exists():
            write_kubeconfig(path, server=SERVER, authority=self.authority.certificate, user=self.user(user))
        return path

    def user(self, name: str) -> User:
        """Return a user with its token."""
        return self._users[name]

    def spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process inside; what it prints goes to `<name>.log` of the rig's folder."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self.namespace.spawn(command, folder=folder or self.folder, log=log, environment=environment)
        self.processes[name] = process
        return process

    def stop(self, name: str, *, kill: bool = False, patience: float = 10) -> int:
        """End a process and return its exit status: by SIGTERM, by SIGKILL after `patience` seconds or at once."""
        process = self.processes.pop(name)
        if not kill:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(patience)
        process.kill()
        return process.wait()

    def log(self, name: str) -> str:
        """Return what a process has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start_etcd(self) -> None:
        """Start etcd with what it has kept."""
        keep = ["--data-dir", str(self.folder / "etcd"), "--unsafe-no-fsync", "--quota-backend-bytes", str(4 << 30)]
        ports = ["--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379"]
        peers = ["--listen-peer-urls", "http://127.0.0.1:2380", "--log-level", "warn"]
        self.spawn("etcd", [self._programs.etcd, *keep, *ports, *peers])

    def start_api_server(self) -> None:
        """Start the API server, again after `stop("kube-apiserver")` too, and wait until it is ready."""
        files = self.folder
        arguments = {
            "etcd-servers": "http://127.0.0.1:2379",
            "bind-address": _ADDRESS,
            "advertise-address": _ADDRESS,
            "secure-port": "6443",
            "tls-cert-file": files / "api-server.crt",
            "tls-private-key-file": files / "api-server.key",
            "token-auth-file": files / "tokens.csv",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-signing-key-file": files / "service-accounts.key",
            "service-account-key-file": files / "service-accounts.key",
            "authorization-mode": "RBAC",
            "service-cluster-ip-range": SERVICE_ADDRESSES,
            "allow-privileged": "true",
            "shutdown-delay-duration": "0s",
            "max-requests-inflight": "2000",
            "max-mutating-requests-inflight": "1000",
        }
        self.spawn("kube-apiserver", [self._programs.api_server, *_flags(arguments)])
        self._wait_until_ready()

    def start_workloads(self) -> None:
        """Start what makes pods of Deployments and puts them on nodes."""
        controllers = {
            "kubeconfig": self.kubeconfig_of("system:kube-controller-manager"),
            "service-account-private-key-file": self.folder / "service-accounts.key",
            "root-ca-file": self.folder / "ca.crt",
            "use-service-account-credentials": "true",
            "leader-elect": "false",
            "kube-api-qps": "500",
            "kube-api-burst": "500",
            # Rigs last minutes: what is deleted must go, and what is gone must be seen, in seconds.
            "node-monitor-grace-period": "8s",
            "concurrent-endpoint-syncs": "10",
        }
        self.spawn("kube-controller-manager", [self._programs.controller_manager, *_flags(controllers)])
        scheduler = {"kubeconfig": self.kubeconfig_of("system:kube-scheduler"), "leader-elect": "false"}
        self.spawn("kube-scheduler", [self._programs.scheduler, *_flags(scheduler)])

    def _write_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_tokens(self.folder / "tokens.csv", list(self._users.values()))
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
        certificate, key = self.authority.issue("kube-apiserver", [*names, _ADDRESS, _SERVICE_ADDRESS, "127.0.0.1"])
        accounts = private_pem(ec.generate_private_key(ec.SECP256R1()))
        secret = {"api-server.key": key, "service-accounts.key": accounts}
        for name, content in {"ca.crt": self.authority.certificate, "api-server.crt": certificate, **secret}.items():
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_bytes(content)

    def _wait_until_ready(self) -> None:
        context = ssl.create_default_context(cadata=self.authority.certificate.decode())
        request = urllib.request.Request(f"{SERVER}/readyz")
        request.add_header("Authorization", f"Bearer {self.user('admin').token}")
        deadline = time.monotonic() + _READY_WITHIN
        with self.inside():
            while True:
                try:
                    with urllib.request.urlopen(request, context=context, timeout=5):
                        return
                except (urllib.error.URLError, OSError) as error:
                    ended = [name for name in ("etcd", "kube-apiserver") if self.processes[name].poll() is not None]
                    if ended or time.monotonic() > deadline:
                        last = "\n".join(self.log((ended or ["kube-apiserver"])[0]).splitlines()[-10:])
                        raise RuntimeError(f"the API server did not become ready ({error}):\n{last}") from error
                    time.sleep(0.05)


def _flags(arguments: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in arguments.items()]
