"""The largest request body. Envoy counts what passes and holds nothing back."""

from typing import Any

from isoline.routing import ir
from isoline.xds.messages import typed_struct

NAME = "isoline.request_body"


def configuration(traffic: ir.Traffic) -> Any | None:
    if traffic.request_body is None:
        return None
    type_name = "envoy.extensions.filters.http.body_size_limit.v3.BodySizeLimit"
    # As text: the JSON form of 64 bits.
    return typed_struct(type_name, {"max_request_bytes": str(traffic.request_body)})
