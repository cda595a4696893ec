"""User names and passwords, asked for by browsers."""

from typing import Any

from envoy.extensions.filters.http.basic_auth.v3 import basic_auth_pb2

from isoline.routing import ir
from isoline.xds.messages import packed

NAME = "isoline.basic_auth"


def configuration(traffic: ir.Traffic) -> Any | None:
    source = traffic.basic_auth
    if source is None:
        return None
    message = basic_auth_pb2.BasicAuth(forward_username_header=source.user_header)
    message.users.inline_bytes = bytes(source.users)
    return packed(message)
