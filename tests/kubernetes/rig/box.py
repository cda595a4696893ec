"""A file system as a container has it: this machine's own, what is written to it thrown away, volumes mounted."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# The programs of the images: where Isoline is installed, and its sources, which may be the same place.
_PROGRAMS = (Path(__file__).parents[3], Path(sys.prefix))


def command(
    wanted: Sequence[str], *, folder: Path, mounts: Mapping[str, Path], working_directory: str | None
) -> list[str]:
    """Return a command that runs `wanted` in a root of its own.

    `mounts` are paths in it, with the folder or file that stands there. The machine's file system shines through, so
    programs are found where they are installed.
    """
    root = shlex.quote(str(folder / "root"))
    scratch = shlex.quote(str(folder))
    lines = [
        "set -e",
        f"mkdir -p {scratch} && mount -t tmpfs box {scratch} && cd {scratch} && mkdir upper work root",
        # Other file systems of this machine are not seen through an overlay; each is put back where it was. /run is not
        # for sharing.
        "points=$(awk '$2 != \"/\" {print $2}' /proc/mounts)",
        f"mount -t overlay box -o lowerdir=/,upperdir={scratch}/upper,workdir={scratch}/work {root}",
        f'for point in $points; do case "$point" in {scratch}*|/run|/run/*) continue;; esac',
        f'if [ -d "$point" ]; then mount --bind "$point" {root}"$point"; fi; done',
    ]
    for path, source in sorted(mounts.items()):
        # As it is seen from within: a link such as /var/run would lead out of the box.
        lines.append(f'at={root}"$(chroot {root} readlink -m {shlex.quote(path)})"')
        lines.append('mkdir -p "$at"' if source.is_dir() else 'mkdir -p "$(dirname "$at")" && touch "$at"')
        lines.append(f'mount --bind {shlex.quote(str(source))} "$at"')
    for program in _PROGRAMS:
        if any(program.is_relative_to(path) for path in mounts):  # a checkout below /tmp, say
            place = shlex.quote(str(program))
            lines.append(f"mkdir -p {root}{place} && mount --bind {place} {root}{place}")
    lines.append(f'exec chroot {root} sh -c \'cd "$0" && exec "$@"\' {shlex.quote(working_directory or "/")} "$@"')
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines), "box", *wanted]


def inside(pid: int, wanted: Sequence[str]) -> list[str]:
    """Return a command that runs `wanted` in the box of process `pid`."""
    return ["nsenter", f"--target={pid}", "--mount", "--net", "--root", "--wd", *wanted]
