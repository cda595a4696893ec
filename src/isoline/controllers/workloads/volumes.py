"""A replica's volumes, as folders of the state folder.

Nothing is mounted: that needs privileges, and would change the machine for everybody. A program finds a volume by
`ISOLINE_VOLUME_<NAME>` in its environment. Where it runs in a folder of its own, it also finds it there under the
mountPath taken relative to its working directory. A mountPath that is not on this machine is told in the status.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from isoline.apps.names import volume_variable
from isoline.cluster.state import write_private
from isoline.controllers.workloads.environment import Values
from isoline.objects.workloads import Container, KeyToPath, PodSpec, Volume

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_ELSEWHERE = ("projected", "downward_api", "image", "nfs", "csi", "iscsi", "fc")


class VolumeError(Exception):
    """A volume cannot be provided, now or at all; the message is a sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where volumes are kept and what fills them, for the replicas of one namespace."""

    claims: Path
    claim_exists: Callable[[str], bool]
    config_map: Callable[[str], Values | None]
    secret: Callable[[str], Values | None]


@dataclass(frozen=True, kw_only=True)
class Mounts:
    """What a container is told of its volumes, and which mountPaths are not there for it."""

    variables: Mapping[str, str]
    links: Mapping[PurePosixPath, Path]
    """Relative to the working directory."""
    unmounted: tuple[str, ...]


def provide(pod: PodSpec, folder: Path, provider: Provider) -> dict[str, Path]:
    """Make every volume of a pod and return its folder, or file, by name.

    Folders that go with the replica are made in `folder`. Called again, it brings ConfigMap and Secret volumes up to
    date. Raises VolumeError.
    """
    return {volume.name: _provide(volume, folder, provider) for volume in pod.volumes}


def _provide(volume: Volume, folder: Path, provider: Provider) -> Path:
    if not _NAME.fullmatch(volume.name):
        raise VolumeError(f'volume name "{volume.name}" is no DNS label')
    own = folder / volume.name
    if volume.persistent_volume_claim is not None:
        name = volume.persistent_volume_claim.claim_name
        if not provider.claim_exists(name):
            raise VolumeError(f'persistentvolumeclaim "{name}" not found')
        return _private_folder(provider.claims / name)
    if volume.config_map is not None:
        source = volume.config_map
        return _fill(own, "configmap", source.name, provider.config_map, source.items, optional=source.optional)
    if volume.secret is not None:
        held = volume.secret
        return _fill(own, "secret", held.secret_name, provider.secret, held.items, optional=held.optional)
    if volume.host_path is not None:
        return _host_path(volume.name, Path(volume.host_path.path), volume.host_path.type)
    elsewhere = [name for name in _ELSEWHERE if getattr(volume, name) is not None]
    if elsewhere:
        raise VolumeError(f'volume "{volume.name}": {elsewhere[0]} volumes are not available on one machine')
    return _private_folder(own)


def _private_folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _host_path(name: str, path: Path, kind: str) -> Path:
    if kind == "DirectoryOrCreate":
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch(mode=0o644)
    if not path.exists():
        raise VolumeError(f'volume "{name}": hostPath {path} does not exist on this machine')
    return path


def _fill(
    folder: Path,
    kind: str,
    name: str,
    lookup: Callable[[str], Values | None],
    items: tuple[KeyToPath, ...],
    *,
    optional: bool,
) -> Path:
    """Make the files of a ConfigMap or Secret volume, mode 0600, each replaced as a whole."""
    data = lookup(name)
    if data is None and not optional:
        raise VolumeError(f'{kind} "{name}" not found')
    wanted = _files(kind, name, data or {}, items, optional=optional)
    _private_folder(folder)
    for path, content in wanted.items():
        file = folder / path
        _private_folder(file.parent)
        if not file.is_file() or file.read_bytes() != content:
            write_private(file, bytes(content))
    for file in folder.rglob("*"):
        if file.is_file() and PurePosixPath(file.relative_to(folder)) not in wanted:
            file.unlink()
    return folder


def _files(
    kind: str, name: str, data: Values, items: tuple[KeyToPath, ...], *, optional: bool
) -> dict[PurePosixPath, bytes]:
    chosen = items or tuple(KeyToPath(key=key, path=key) for key in data)
    missing = [item.key for item in chosen if item.key not in data]
    if missing and not optional:
        raise VolumeError(f'{kind} "{name}" has no key "{missing[0]}"')
    return {_inside(item.path): data[item.key] for item in chosen if item.key in data}


def _inside(path: str) -> PurePosixPath:
    """A relative path that stays where it is put."""
    checked = PurePosixPath(path)
    if checked.is_absolute() or ".." in checked.parts or not checked.parts:
        raise VolumeError(f'path "{path}" must be relative and without ".."')
    return checked


def mounts(container: Container, folders: Mapping[str, Path]) -> Mounts:
    """Return what a container is told of its volumes. Raises VolumeError."""
    variables: dict[str, str] = {}
    links: dict[PurePosixPath, Path] = {}
    unmounted: list[str] = []
    for mount in container.volume_mounts:
        if mount.name not in folders:
            raise VolumeError(f'volumeMounts: there is no volume "{mount.name}"')
        source = folders[mount.name]
        if mount.sub_path:
            source = source / _inside(mount.sub_path)
            if not source.exists():
                _private_folder(source)
        variable = _variable(mount.name, variables)
        variables[variable] = str(source)
        links[_relative(mount.mount_path, container.working_dir)] = source
        if Path(mount.mount_path).resolve() != source.resolve() and not _is_told(container, variable):
            unmounted.append(f"{mount.mount_path} is not mounted: the program finds it by ${variable}")
    return Mounts(variables=variables, links=links, unmounted=tuple(unmounted))


def _is_told(container: Container, variable: str) -> bool:
    """Whether the program is given the volume's place in words of its own."""
    words = (*container.command, *container.args, *(each.value or "" for each in container.env))
    return any(f"$({variable})" in word for word in words)


def _variable(volume: str, taken: Mapping[str, str]) -> str:
    """The variable of a mount; a volume that is mounted more than once has its second as `…_2`."""
    first = volume_variable(volume)
    return next(
        name for name in (first, *(f"{first}_{number}" for number in range(2, len(taken) + 3))) if name not in taken
    )


def _relative(mount_path: str, working_dir: str) -> PurePosixPath:
    path = PurePosixPath("/", mount_path)
    inside = bool(working_dir) and path.is_relative_to(working_dir)
    path = path.relative_to(working_dir if inside else "/")
    return _inside(str(path)) if path.parts else path


def link(folder: Path, links: Mapping[PurePosixPath, Path]) -> None:
    """Make the links to volumes in a working directory that is the replica's own."""
    for path, source in links.items():
        if not path.parts:
            continue
        place = folder / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.is_symlink() or not place.exists():
            place.unlink(missing_ok=True)
            place.symlink_to(source)


def remove(folder: Path) -> None:
    """Delete what goes with a replica; links are deleted, not what they lead to."""
    shutil.rmtree(folder, ignore_errors=True)
