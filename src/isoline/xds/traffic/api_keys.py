"""API keys. Whose key is none of the site's gets 401; the app is not shown the key, only whose it is."""

from typing import Any

from envoy.extensions.filters.http.api_key_auth.v3 import api_key_auth_pb2

from isoline.routing import ir
from isoline.xds.messages import packed

NAME = "isoline.api_keys"


def configuration(traffic: ir.Traffic) -> Any | None:
    source = traffic.api_keys
    if source is None:
        return None
    message = api_key_auth_pb2.ApiKeyAuth()
    for client, key in source.clients:
        message.credentials.add(client=client, key=bytes(key).decode())
    message.key_sources.add(header=source.header)
    if source.query:
        message.key_sources.add(query=source.query)
    message.forwarding.header = source.client_header
    message.forwarding.hide_credentials = True
    return packed(message)
