"""The process that a shim is: it detaches, runs one program, and ends when nothing of that is left."""

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import time
from typing import Any, NoReturn

from .logwriter import LogWriter
from .system import boot_id, children, start_ticks, write_json

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CHUNK_BYTES = 64 * 1024
_RESTORED_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
"""All: a shell that starts `isoline up &` has SIGINT and SIGQUIT ignored, and what is ignored is inherited."""


class Shim:
    """One program under supervision; `run` returns after it has ended."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        with open(f"{folder}/spec.json", "rb") as file:  # noqa: PTH123
            self._spec: dict[str, Any] = json.load(file)
        self._log = LogWriter(f"{folder}/log", self._spec["log_max_bytes"], self._spec["log_files"])
        self._pid = 0
        self._kill_at: float | None = None
        self._wait_status: int | None = None

    def run(self, report: int) -> None:
        """Start the program, tell `report` (a descriptor) how that went, and stay until it has ended."""
        wakeup_read, wakeup_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, _noted)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
        output, error = self._start()
        if error:
            # Nothing ever ran, so there is nothing to be found by a later control plane.
            os.unlink(f"{self._folder}/state.json")  # noqa: PTH108
        with contextlib.suppress(BrokenPipeError):
            # A control plane that was killed meanwhile does not want to know; its successor will find the process.
            os.write(report, json.dumps({"error": error}).encode())
        _let_go_of_standard_streams(report)
        if error:
            os.waitpid(self._pid, 0)
            return
        self._supervise(output, wakeup_read)
        self._end_orphans()
        while self._pump(output):
            pass
        self._log.close()
        self._write_exit()

    def _start(self) -> tuple[int, int]:
        """Start the program; returns the descriptor of its output and an errno, 0 if it runs."""
        output_read, output_write = os.pipe2(os.O_CLOEXEC)
        go_read, go_write = os.pipe2(os.O_CLOEXEC)
        failed_read, failed_write = os.pipe2(os.O_CLOEXEC)
        shim_pid = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(go_write)
            self._become_program(shim_pid, output_write, go_read, failed_write)
        for descriptor in (output_write, go_read, failed_write):
            os.close(descriptor)
        # The state is on disk before the program runs: killed in between, the shim leaves no program behind.
        self._write_state(shim_pid)
        os.write(go_write, b"g")
        os.close(go_write)
        failure = os.read(failed_read, 16)
        os.close(failed_read)
        os.set_blocking(output_read, False)
        return output_read, int(failure or b"0")

    def _become_program(self, shim_pid: int, output: int, go: int, failed: int) -> NoReturn:
        try:
            os.setsid()
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.read(go, 1) != b"g" or os.getppid() != shim_pid:
                os._exit(1)
            if self._spec["cgroup"]:
                with open(f"{self._spec['cgroup']}/cgroup.procs", "w", encoding="ascii") as procs:  # noqa: PTH123
                    procs.write("0")
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            signal.set_wakeup_fd(-1)
            for number in _RESTORED_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            if self._spec["cwd"]:
                os.chdir(self._spec["cwd"])
            os.execve(self._spec["executable"], self._spec["argv"], self._spec["env"])  # noqa: S606
        except OSError as error:
            os.write(failed, str(error.errno or errno.EIO).encode())
        finally:
            os._exit(127)

    def _write_state(self, shim_pid: int) -> None:
        state = {
            "boot_id": boot_id(),
            "pid": self._pid,
            "start_ticks": start_ticks(self._pid),
            "shim_pid": shim_pid,
            "shim_start_ticks": start_ticks(shim_pid),
            "started_at": time.time(),
        }
        write_json(f"{self._folder}/state.json", state)

    def _supervise(self, output: int, wakeup: int) -> None:
        poller = select.poll()
        poller.register(output, select.POLLIN)
        poller.register(wakeup, select.POLLIN)
        while self._wait_status is None:
            wait = None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic()) * 1000
            for descriptor, event in poller.poll(wait):
                if descriptor == output:
                    if not self._pump(output) and event & select.POLLHUP:
                        poller.unregister(output)
                elif signal.SIGTERM in os.read(wakeup, 512):
                    self._stop()
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._signal_group(signal.SIGKILL)
                self._kill_at = None
            self._reap()

    def _pump(self, output: int) -> bool:
        """Copy a piece of output to the log; False when there is none for now, or never again."""
        try:
            piece = os.read(output, CHUNK_BYTES)
        except BlockingIOError:
            return False
        self._log.feed(piece)
        return bool(piece)

    def _stop(self) -> None:
        grace, number = float(self._spec["grace"]), int(self._spec["stop_signal"])
        try:
            with open(f"{self._folder}/stop.json", "rb") as file:  # noqa: PTH123
                grace = float(json.load(file)["grace"])
        except (OSError, ValueError, KeyError):
            pass
        deadline = time.monotonic() + grace
        self._kill_at = deadline if self._kill_at is None else min(deadline, self._kill_at)
        self._signal_group(number)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, number)

    def _reap(self) -> None:
        """Collect every child that ended: the program and, as this is the subreaper, orphans of it."""
        while (ended := _ended_child()) is not None:
            if ended == self._pid:
                # While the program is not reaped its pid, hence its group's number, cannot be anybody else's.
                self._signal_group(signal.SIGKILL)
                self._wait_status = os.waitpid(ended, 0)[1]
            else:
                os.waitpid(ended, 0)

    def _end_orphans(self) -> None:
        """End all that the program left behind in sessions of its own; each kill may orphan more."""
        while True:
            self._reap()
            try:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            for pid in children(os.getpid()):
                os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)

    def _write_exit(self) -> None:
        status = self._wait_status
        assert status is not None
        code = os.waitstatus_to_exitcode(status)
        exit_status = {
            "code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "at": time.time(),
            "last_words": self._log.last_words(),
            "oom_killed": self._leave_cgroup(),
        }
        write_json(f"{self._folder}/exit.json", exit_status)

    def _leave_cgroup(self) -> bool:
        """Remove the control group; True if the kernel killed something in it for want of memory."""
        cgroup = self._spec["cgroup"]
        if not cgroup:
            return False
        try:
            with open(f"{cgroup}/memory.events", encoding="ascii") as file:  # noqa: PTH123
                return any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in file)
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                os.rmdir(cgroup)  # noqa: PTH106


def _ended_child() -> int | None:
    """A child that has ended and is not reaped yet."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the wake-up descriptor has told the loop."""


def _let_go_of_standard_streams(report: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, report)
    os.close(null)


def main(folder: str, lock: int) -> None:
    """Detach from the control plane, then supervise the program of `folder`, holding the descriptor `lock`."""
    os.set_inheritable(lock, False)
    if os.fork():
        # Without this process in between, the shim would stay a child of the control plane, to be reaped by it.
        os._exit(0)
    os.setsid()
    os.umask(0o022)
    Shim(folder).run(report=1)
