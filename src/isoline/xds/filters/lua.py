"""Filters written in Lua."""

from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2


def script(source: str) -> Any:
    """A Lua filter that runs `source` for every request."""
    return lua_pb2.Lua(default_source_code=base_pb2.DataSource(inline_string=source))
