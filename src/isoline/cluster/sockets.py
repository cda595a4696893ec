"""Unix sockets in folders whose path is too long for one.

A socket's address holds 107 bytes. A deeper folder is reached through a short symbolic link in the folder for temporary
files: its name follows from the folder's, so that every process comes to the same one by itself.
"""

import hashlib
import os
import tempfile
from pathlib import Path

LONGEST = 107


class SocketPathError(OSError):
    """No short way to a socket can be made."""


def short_path(path: Path) -> Path:
    """A path to the same file that fits into a socket's address; the path itself where it does.

    Raises SocketPathError when somebody else has taken the link's name.
    """
    path = path.absolute()
    if len(os.fsencode(path)) <= LONGEST:
        return path
    folder = path.parent
    digest = hashlib.blake2b(os.fsencode(folder), digest_size=8).hexdigest()
    link = Path(tempfile.gettempdir()) / f"isoline-{os.getuid()}-{digest}"
    try:
        link.symlink_to(folder, target_is_directory=True)
    except FileExistsError:
        _verify(link, folder)
    short = link / path.name
    if len(os.fsencode(short)) > LONGEST:
        raise SocketPathError(f"{short} is too long for a socket: give a shorter state folder by --state")
    return short


def _verify(link: Path, folder: Path) -> None:
    # The folder for temporary files belongs to everybody: a link that somebody else left would hand them our socket.
    if link.lstat().st_uid != os.getuid() or not link.is_symlink() or link.readlink() != folder:
        raise SocketPathError(
            f"{link} is not ours, but needed for sockets in {folder}: remove it, or give a shorter --state"
        )
