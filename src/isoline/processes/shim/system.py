"""What the kernel says of processes, and files that are never half written."""

import errno
import json
import os
from typing import Any


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


def children(parent: int) -> list[int]:
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
