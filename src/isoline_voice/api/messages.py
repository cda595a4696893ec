"""What a client may send over the WebSocket, one message at a time."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic_core import from_json
from starlette.websockets import WebSocket, WebSocketDisconnect

from isoline_voice.api.errors import ApiError, Fault
from isoline_voice.api.keys import SUBPROTOCOL as KEY_SUBPROTOCOL

CLOSE_NORMAL = 1000


async def receive(socket: WebSocket) -> dict[str, Any]:
    """The next message, a JSON object; raises ApiError for anything else and WebSocketDisconnect when there is none."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", CLOSE_NORMAL))
    text = message.get("text")
    if text is None:
        raise refused("Binary messages are not understood here; send JSON text.", None)
    try:
        decoded = from_json(text)
    except ValueError as error:
        raise refused(f"The message is not valid JSON: {error}.", None) from error
    if not isinstance(decoded, dict):
        raise refused("A message is a JSON object with a `type`.", None)
    return decoded


def configuration(message: dict[str, Any]) -> dict[str, Any]:
    """The fields of a `session.config`, which stand beside `type` or in an object `session`.

    The latter is how sglang-omni's clients write, who are done after `input.done`.
    """
    if "session" not in message:
        return message
    session = message["session"]
    if not isinstance(session, dict):
        raise refused("`session` is an object with the fields of the session.", "session")
    return {"idle_timeout": 0, **session}


def refused(message: str, param: str | None) -> ApiError:
    """A message that cannot be followed."""
    return ApiError(HTTPStatus.BAD_REQUEST, Fault(message, param, "invalid_message"))


def subprotocol(socket: WebSocket) -> str | None:
    """The first one offered that is no key: a browser closes a connection that answers with none that it offered."""
    offered = socket.scope.get("subprotocols") or ()
    return next((each for each in offered if not each.startswith(KEY_SUBPROTOCOL)), None)
