"""The request's identity in every answer, of the app's and of the gateway's."""

from typing import Any

from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2

from isoline.routing import ir
from isoline.xds.messages import header_option, packed

NAME = "isoline.request_id"


def configuration(traffic: ir.Traffic) -> Any | None:
    if traffic.request_id is None:
        return None
    message = header_mutation_pb2.HeaderMutation()
    option = header_option(traffic.request_id, "%REQ(X-REQUEST-ID)%")
    message.mutations.response_mutations.add().append.CopyFrom(option)
    return packed(message)
