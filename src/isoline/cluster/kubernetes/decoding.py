"""What an API server sends, straight into our types."""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from isoline.objects import Object, ObjectError, decode_object
from isoline.objects.registry import BY_NAME, Kind
from isoline.objects.secrets import decode_hook

_OURS = "isoline.dev"


class ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class RawList(msgspec.Struct):
    """A page of a list."""

    metadata: ListMeta
    items: list[msgspec.Raw] | None = None


class WatchEvent(msgspec.Struct):
    """`type` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    object: msgspec.Raw


class _Annotated(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    annotations: dict[str, str] = {}


class Bare(msgspec.Struct):
    """The metadata of anything: of a bookmark, or of an object that cannot be read otherwise."""

    metadata: _Annotated


list_of = msgspec.json.Decoder(RawList)
event_of = msgspec.json.Decoder(WatchEvent)
bare_of = msgspec.json.Decoder(Bare)


class UndecodableError(ValueError):
    """An object that our types have no room for; the text says what is wrong with it."""


def decoder(kind: Kind) -> Callable[[bytes | msgspec.Raw], Object]:
    """Return what decodes objects of a kind. It raises UndecodableError.

    The API server has checked them against their schema. Of our own kinds the rules between fields, which no schema
    can say, are checked as well.
    """
    return _checked if kind.group == _OURS else _quick(kind.name)


def _checked(raw: bytes | msgspec.Raw) -> Object:
    try:
        return decode_object(bytes(raw))
    except ObjectError as error:
        raise UndecodableError("; ".join(problem.explanation for problem in error.problems)) from error


@cache
def _quick(name: str) -> Callable[[bytes | msgspec.Raw], Object]:
    decode = msgspec.json.Decoder(BY_NAME[name].type, dec_hook=decode_hook).decode

    def decoded(raw: bytes | msgspec.Raw) -> Object:
        try:
            try:
                result: Any = decode(raw)
            except msgspec.ValidationError:
                # Of lists that nobody set, some come as null: such as `endpoints` of a Service without replicas.
                result = decode(msgspec.json.encode(_without_nulls(msgspec.json.decode(raw))))
        except msgspec.MsgspecError as error:
            raise UndecodableError(str(error)) from error
        return result  # type: ignore[no-any-return]

    return decoded


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
