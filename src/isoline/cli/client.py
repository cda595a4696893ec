"""The other end of the control API: plain HTTP over the state folder's socket."""

import http.client
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from isoline.apps import Target
from isoline.cli.errors import FoundWrongError
from isoline.console import wire

T = TypeVar("T")
DEFAULT_STATE = Path(".isoline")
PLUGIN = "ISOLINE_KUBECTL_PLUGIN"
"""Set while this runs as `kubectl isoline`."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("isoline")
        self._path = path

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        self.sock = connection


class Client:
    """Asks the Isoline that runs with a state folder.

    Every method raises FoundWrongError when none runs, or when it refuses; the text is for people.
    """

    target = Target.MACHINE
    """Where the Apps of what is asked run."""

    def __init__(self, state: Path, *, namespace: str = "default") -> None:
        self.state = state
        self.namespace = namespace
        """Where objects are looked for when nobody says where."""

    def runs(self) -> bool:
        """Whether an Isoline answers there."""
        try:
            self._connection().close()
        except FoundWrongError:
            return False
        return True

    def get(self, path: str, answer: type[T], /, **query: str | None) -> T:
        return self._ask("GET", path, query, None, answer)

    def post(self, path: str, body: bytes, answer: type[T], /, **query: str | None) -> T:
        return self._ask("POST", path, query, body, answer)

    def stream(self, path: str, record: type[T], /, **query: str | None) -> Iterator[T]:
        """Records as they come; ends when the other side does."""
        connection = self._connection()
        try:
            response = self._response(connection, "GET", path, query, None)
            decoder = msgspec.json.Decoder(record)
            while line := response.readline():
                yield decoder.decode(line)
        except (ConnectionError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def _ask(self, method: str, path: str, query: dict[str, str | None], body: bytes | None, answer: type[T]) -> T:
        connection = self._connection()
        try:
            return msgspec.json.decode(self._response(connection, method, path, query, body).read(), type=answer)
        except (ConnectionError, http.client.HTTPException) as error:
            raise FoundWrongError(f"Isoline in {self.state} hung up: {error}") from error
        finally:
            connection.close()

    def _connection(self) -> _UnixConnection:
        from isoline.cluster.sockets import short_path

        connection = _UnixConnection(short_path(self.state / "isoline.sock"))
        try:
            connection.connect()
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise FoundWrongError(f"Isoline does not run with {_shown(self.state)}. {_hint(self.state)}") from error
        except PermissionError as error:
            raise FoundWrongError(f"{_shown(self.state)} belongs to somebody else: run this as its owner") from error
        return connection

    @staticmethod
    def _response(
        connection: _UnixConnection, method: str, path: str, query: dict[str, str | None], body: bytes | None
    ) -> http.client.HTTPResponse:
        given = {name: value for name, value in query.items() if value is not None}
        connection.request(method, f"/{path}?{urlencode(given)}", body=body)
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise FoundWrongError(_refusal(response.read()))
        return response


def means_a_cluster() -> bool:
    """Whether a command that names nothing is about the cluster of the current context: it is kubectl's plugin."""
    return PLUGIN in os.environ


def state_folder(given: Path | None) -> Path:
    """The folder that a command is about: what is given, `ISOLINE_STATE`, or `.isoline` here."""
    return (given or Path(os.environ.get("ISOLINE_STATE") or DEFAULT_STATE)).absolute()


def _shown(state: Path) -> str:
    return os.path.relpath(state) if state.is_relative_to(Path.cwd()) else str(state)


def _hint(state: Path) -> str:
    if state == DEFAULT_STATE.absolute():
        return "Start it with `isoline up`, or say where it runs by --state (or ISOLINE_STATE)."
    return f"Start it with `isoline up --state {_shown(state)}`."


def _refusal(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=wire.Refusal).error
    except msgspec.MsgspecError:
        return body.decode(errors="replace") or "Isoline failed to answer; its log says why"


def plain_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
