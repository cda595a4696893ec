"""The small parent that each supervised process has, so that it outlives the control plane.

Run as a script by `launch.py` with a bare interpreter (`python -I -S -E shim.py FOLDER LOCK_FD`), so it imports the
standard library only, and little of it. It detaches (its parent becomes init), starts the program of `FOLDER/spec.json`
in a session of its own, copies its output to `FOLDER/log/`, and ends after the program has ended and nothing that it
started is left.

Files it writes, each by rename, so that a reader never sees half of one:
`state.json` who runs (pids with start times, boot id); `exit.json` how it ended.
Signals it takes: SIGTERM stops the program, with the grace of `stop.json` or else of `spec.json`.
The lock passed as `LOCK_FD` is held for as long as the shim lives: whoever can take it knows that nobody runs here.
"""

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import sys
import time
from collections import deque
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LAST_WORDS_LINES = 10
LAST_WORDS_BYTES = 4096
LINE_BYTES = 16 * 1024
CHUNK_BYTES = 64 * 1024
_RESTORED_SIGNALS = (
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGTERM,
    signal.SIGCHLD,
    signal.SIGINT,
    signal.SIGHUP,
)


def boot_id() -> str:
    """The kernel's id of this boot; pids and start times mean nothing in another one."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123
        return file.read().strip()


def start_ticks(pid: int) -> int | None:
    """Clock ticks since boot at which `pid` started (field 22 of proc(5) stat); None if it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            stat = file.read()
    except OSError:
        return None
    # The command's name stands in parentheses and may itself hold spaces and parentheses.
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def write_json(path: str, content: Any) -> None:
    """Write `content` to `path` atomically, readable by the owner only."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    document = json.dumps(content).encode()
    try:
        if os.write(descriptor, document) < len(document):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)  # noqa: PTH105


class LogWriter:
    """Timestamped lines in `directory/current`, rotated to `directory/1`, `directory/2`… by size."""

    def __init__(self, directory: str, max_bytes: int, files: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._files = files
        self._pending = b""
        self._second = 0
        self._prefix = b""
        self.last_lines: deque[bytes] = deque(maxlen=LAST_WORDS_LINES)
        self._open()

    def _path(self, name: object) -> str:
        return f"{self._directory}/{name}"

    def _open(self) -> None:
        self._descriptor = os.open(self._path("current"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            newer = self._path(number - 1 if number > 1 else "current")
            if os.path.exists(newer):  # noqa: PTH110
                os.replace(newer, self._path(number))  # noqa: PTH105
        if self._files == 1:
            os.unlink(self._path("current"))  # noqa: PTH108
        full = self._descriptor
        self._open()
        os.close(full)

    def _timestamp(self) -> bytes:
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)).encode()
        return b"%s.%06dZ " % (self._prefix, int(now % 1 * 1_000_000))

    def feed(self, output: bytes) -> None:
        """Take a piece of the program's output; lines end at a newline or at a progress bar's carriage return."""
        text = (self._pending + output).replace(b"\r\n", b"\n")
        # A carriage return at the very end may be half of "\r\n": it waits for the next piece.
        held = b"\r" if text.endswith(b"\r") else b""
        *lines, rest = text[: len(text) - len(held)].replace(b"\r", b"\n").split(b"\n")
        while len(rest) > LINE_BYTES:
            lines.append(rest[:LINE_BYTES])
            rest = rest[LINE_BYTES:]
        self._pending = rest + held
        self._write(lines)

    def close(self) -> None:
        """Write what came without a newline at its end."""
        if rest := self._pending.rstrip(b"\r"):
            self._write([rest])
        self._pending = b""

    def _write(self, lines: list[bytes]) -> None:
        if not lines:
            return
        self.last_lines.extend(lines[-LAST_WORDS_LINES:])
        stamp = self._timestamp()
        batch = b"".join(stamp + line + b"\n" for line in lines)
        try:
            self._size += os.write(self._descriptor, batch)
            if self._size >= self._max_bytes:
                self._rotate()
        except OSError:
            # A full disk costs log lines; it must not block or end the program.
            return

    def last_words(self) -> str:
        """The last lines of the program, for a status."""
        return b"\n".join(self.last_lines).decode(errors="replace")[-LAST_WORDS_BYTES:]


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
        os.write(report, json.dumps({"error": error}).encode() if error else b"{}")
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
            for pid in _children(os.getpid()):
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
                killed = any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in file)
            os.rmdir(cgroup)  # noqa: PTH106
        except OSError:
            return False
        return killed


def _ended_child() -> int | None:
    """A child that has ended and is not reaped yet."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def _children(parent: int) -> list[int]:
    """Children of `parent`, zombies included, which takes a signal without harm."""
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208
        try:
            with open(f"/proc/{int(entry)}/stat", "rb") as file:  # noqa: PTH123
                stat = file.read()
        except (OSError, ValueError):
            continue
        if int(stat[stat.rindex(b")") + 2 :].split()[1]) == parent:
            found.append(int(entry))
    return found


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the wake-up descriptor has told the loop."""


def _let_go_of_standard_streams(report: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, report)
    os.close(null)


def main() -> None:
    """Detach from the control plane, then supervise the program in the folder named on the command line."""
    folder = sys.argv[1]
    os.set_inheritable(int(sys.argv[2]), False)
    if os.fork():
        # Without this process in between, the shim would stay a child of the control plane, to be reaped by it.
        os._exit(0)
    os.setsid()
    os.umask(0o022)
    Shim(folder).run(report=1)


if __name__ == "__main__":
    main()
