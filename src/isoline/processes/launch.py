"""Start a shim for a process, and say in plain words why one could not start."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from isoline.processes import cgroups
from isoline.processes.shim.system import write_json
from isoline.processes.spec import ProcessSpec, StartError

# The shim is imported by a name of its own: importing it as a part of `isoline` would load much that it has no use for.
_RUN_SHIM = "import sys; sys.path.append(sys.argv[1]); from shim.main import main; main(sys.argv[2], int(sys.argv[3]))"
_PACKAGES = str(Path(__file__).parent)


def launch(spec: ProcessSpec, folder: Path) -> None:
    """Start `spec` under a shim of its own; returns after the program was executed. Blocks for some 50 ms.

    Raises StartError if it cannot run, or if `folder` already has a living process.
    """
    executable = _executable(spec)
    (folder / "log").mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    lock = take_lock(folder)
    if lock is None:
        raise StartError(f"cannot start {spec.name}: it is running already")
    cgroup = None
    try:
        if spec.memory_bytes is not None or spec.cpu_cores is not None:
            cgroup = cgroups.create(_group_name(spec, folder), memory_bytes=spec.memory_bytes, cpu_cores=spec.cpu_cores)
        for stale in ("state.json", "exit.json", "stop.json"):
            (folder / stale).unlink(missing_ok=True)
        write_json(str(folder / "spec.json"), _document(spec, executable, cgroup))
        failure = _run_shim(folder, lock)
    finally:
        os.close(lock)
    if failure:
        if cgroup:
            cgroups.end(cgroup)
        raise StartError(f"cannot start {spec.name}: {_reason(executable, failure)}")


def take_lock(folder: Path) -> int | None:
    """Lock `folder` for a shim; returns a descriptor, or None if a living shim has it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _executable(spec: ProcessSpec) -> str:
    """The absolute path of the program; raises StartError when there is nothing to run, or nowhere to run it."""
    program, search = spec.argv[0], spec.env.get("PATH", os.defpath)
    if spec.cwd is not None and not spec.cwd.is_dir():
        raise StartError(f"cannot start {spec.name}: its working directory {spec.cwd} does not exist")
    if os.sep not in program:
        found = shutil.which(program, path=search)
        if found is None:
            raise StartError(
                f"cannot start {spec.name}: there is no program {program!r} on its PATH; "
                "install it, or give its full path"
            )
        return str(Path(found).absolute())
    path = (spec.cwd or Path.cwd()) / program
    if not path.exists():
        raise StartError(f"cannot start {spec.name}: there is no file {path}")
    if path.is_dir() or not os.access(path, os.X_OK):
        raise StartError(
            f"cannot start {spec.name}: {path} is not executable; `chmod +x` makes it so if it is a program"
        )
    return str(path.absolute())


def _group_name(spec: ProcessSpec, folder: Path) -> str:
    """Two tables on a machine may use one name: the folder tells them apart."""
    return f"{spec.name}-{hashlib.blake2b(bytes(folder), digest_size=6).hexdigest()}"


def _document(spec: ProcessSpec, executable: str, cgroup: Path | None) -> dict[str, Any]:
    return {
        "name": spec.name,
        "argv": list(spec.argv),
        "env": dict(spec.env),
        "cwd": None if spec.cwd is None else str(spec.cwd.absolute()),
        "stop_signal": int(spec.stop_signal),
        "grace": spec.grace,
        "memory_bytes": spec.memory_bytes,
        "cpu_cores": spec.cpu_cores,
        "labels": dict(spec.labels),
        "log_max_bytes": spec.log_max_bytes,
        "log_files": spec.log_files,
        "executable": executable,
        "cgroup": None if cgroup is None else str(cgroup),
    }


def _run_shim(folder: Path, lock: int) -> int:
    """Run the shim until it has detached and started the program; returns 0 or the errno of execve(2)."""
    command = [sys.executable, "-I", "-S", "-E", "-c", _RUN_SHIM, _PACKAGES, str(folder), str(lock)]
    # The shim's own errors would be a bug of ours: keep them where they can be found.
    with (folder / "shim.log").open("wb") as errors:
        shim_process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=(lock,),
            start_new_session=True,
            cwd=folder,
            env={},
        )
    report, _ = shim_process.communicate()
    with contextlib.suppress(ValueError):
        return int(json.loads(report)["error"])
    raise StartError(f"cannot start {folder.name}: its supervisor ended at once; see {folder / 'shim.log'}")


def _reason(executable: str, number: int) -> str:
    match number:
        case errno.ENOEXEC:
            return (
                f"{executable} is neither a program for this machine nor a script with a first line such as #!/bin/sh"
            )
        case errno.ENOENT:
            return f"the interpreter that the first line of {executable} names does not exist"
        case errno.E2BIG:
            return "its arguments and environment are longer than the kernel allows"
        case _:
            return f"{executable}: {os.strerror(number)}"
