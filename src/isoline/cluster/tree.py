"""Which files of a directory are manifests, and where to look for changes of them that happen outside of it."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from isoline.cluster.manifests import Signature, is_manifest, signature_of

KUBERNETES_LINK = "..data"
"""Where Kubernetes mounts a ConfigMap, every file is a link through this one; it is swapped to change all at once."""

LONGEST_CHAIN = 40


class Tree(NamedTuple):
    files: dict[str, Signature]
    """By path: the root's path and what follows it."""
    folders: set[str]
    anchors: frozenset[str]
    """Folders outside of the tree in which a rename may change what it holds."""
    identity: tuple[int, int] | None
    """Device and inode of the root; None when there is none."""


def scan(root: Path) -> Tree:
    """Every manifest under a folder, through symbolic links; or the one file that `root` is. Reads no content."""
    files: dict[str, Signature] = {}
    folders: set[str] = set()
    anchors = {str(root.parent), *_link_folders(str(root))}
    try:
        status = root.stat()
    except OSError:
        return Tree({}, set(), frozenset(anchors), None)
    identity = (status.st_dev, status.st_ino)
    if not stat.S_ISDIR(status.st_mode):
        files[str(root)] = signature_of(status)
        return Tree(files, folders, frozenset(anchors), identity)
    seen = {identity}
    unread = [str(root)]
    while unread:
        folder = unread.pop()
        folders.add(folder)
        for entry in _entries(folder):
            if entry.name.startswith("."):
                continue
            try:
                status = entry.stat()
            except OSError:
                continue  # a link to nothing, or gone since
            if entry.is_symlink():
                anchors |= _link_folders(entry.path)
            if stat.S_ISDIR(status.st_mode):
                if (status.st_dev, status.st_ino) not in seen:  # a link back up would never end
                    seen.add((status.st_dev, status.st_ino))
                    unread.append(entry.path)
            elif stat.S_ISREG(status.st_mode) and is_manifest(entry.name):
                files[entry.path] = signature_of(status)
    inside = str(root) + os.sep
    return Tree(files, folders, frozenset(each for each in anchors if not (each + os.sep).startswith(inside)), identity)


def stat_file(path: str) -> Signature | None:
    """The signature of a regular file; None when there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - on the path of every event
    except OSError:
        return None
    return signature_of(status) if stat.S_ISREG(status.st_mode) else None


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _link_folders(path: str) -> set[str]:
    """The folder of each link and of the file at the end of a chain of links."""
    folders: set[str] = set()
    for _ in range(LONGEST_CHAIN):
        try:
            target = os.readlink(path)  # noqa: PTH115 - strings throughout
        except OSError:
            break
        path = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120
        folders.add(os.path.dirname(path))  # noqa: PTH120
    return {folder for folder in folders if os.path.isdir(folder)}  # noqa: PTH112
