"""Small pieces of messages that every renderer needs."""

from functools import cache
from typing import Any

from envoy.config.core.v3 import base_pb2, config_source_pb2, extension_pb2
from google.protobuf import any_pb2, duration_pb2, struct_pb2
from xds.type.v3 import typed_struct_pb2

from isoline.xds.resources import Name, Resource, resource

_TYPE_PREFIX = "type.googleapis.com/"


def serialized(message: Any) -> bytes:
    """The bytes of `message`; equal messages give equal bytes, maps included."""
    body: bytes = message.SerializeToString(deterministic=True)
    return body


def as_resource(
    type_url: str,
    name: str,
    message: Any,
    *,
    needs: tuple[Name, ...] = (),
    brings: tuple[Name, ...] = (),
    settles: float = 0.0,
    empty: bool = False,
) -> Resource:
    return resource(type_url, name, serialized(message), needs, brings, settles=settles, empty=empty)


def packed(message: Any) -> any_pb2.Any:
    """`message` in an `Any`."""
    return any_pb2.Any(type_url=_TYPE_PREFIX + message.DESCRIPTOR.full_name, value=serialized(message))


def typed_struct(type_name: str, value: dict[str, Any]) -> any_pb2.Any:
    """A configuration whose protobuf type Envoy knows and we do not: `value` is its JSON form."""
    struct = struct_pb2.Struct()
    struct.update(value)
    return packed(typed_struct_pb2.TypedStruct(type_url=_TYPE_PREFIX + type_name, value=struct))


def extension(name: str, message: Any) -> extension_pb2.TypedExtensionConfig:
    """`message` as a named extension; an `Any` is taken as it is."""
    config = message if isinstance(message, any_pb2.Any) else packed(message)
    return extension_pb2.TypedExtensionConfig(name=name, typed_config=config)


def duration(seconds: float) -> duration_pb2.Duration:
    """Seconds as a protobuf duration, to the nanosecond."""
    nanos = round(seconds * 1e9)
    return duration_pb2.Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)


@cache
def ads() -> config_source_pb2.ConfigSource:
    """The stream that carries everything. Shared: do not change it."""
    return config_source_pb2.ConfigSource(
        ads=config_source_pb2.AggregatedConfigSource(), resource_api_version=config_source_pb2.V3
    )


def header_option(name: str, value: str, *, keep: bool = False) -> base_pb2.HeaderValueOption:
    """Sets a header to `value`; with `keep`, only where there is none yet."""
    action = base_pb2.HeaderValueOption.ADD_IF_ABSENT if keep else base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    return base_pb2.HeaderValueOption(header=base_pb2.HeaderValue(key=name, value=value), append_action=action)
