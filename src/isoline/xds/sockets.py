"""Where the server listens: a unix socket of its own, that nobody else may open."""

import os
import socket
import stat
from pathlib import Path

import grpc.aio

_UNIX = "unix:"
_MAX_PATH_BYTES = 107
"""`sockaddr_un` holds 108 bytes, the last of which is 0."""
_ONLY_US = 0o177


class AddressError(Exception):
    """The server cannot listen there; the message says why and what to do."""


def bind(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None = None) -> None:
    """Binds `server`. A unix socket gets mode 0600; one that nobody listens on any more is replaced.

    Without credentials it talks to anybody who can reach the address.

    Raises `AddressError`.
    """
    if address.startswith(_UNIX):
        _clear(Path(address.removeprefix(_UNIX)))
    before = os.umask(_ONLY_US)
    try:
        if credentials is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise AddressError(f"{address}: cannot listen there: {error}") from error
    finally:
        os.umask(before)


def _clear(path: Path) -> None:
    if len(os.fsencode(path)) > _MAX_PATH_BYTES:
        raise AddressError(
            f"{path}: longer than the {_MAX_PATH_BYTES} bytes that a unix socket's path may have; "
            "choose a shorter state folder"
        )
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise AddressError(f"{path}: something that is not a socket is there; move it away")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError as error:
            raise AddressError(f"{path}: cannot tell whether another server listens there: {error}") from error
        else:
            raise AddressError(f"{path}: another server listens there; stop it first")
