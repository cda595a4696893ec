"""The largest set of request headers, below what the listener takes."""

from typing import Any

from isoline.routing import ir
from isoline.xds.filters import lua

NAME = "isoline.request_headers"

_SCRIPT = """
function envoy_on_request(handle)
  local size, count = 0, 0
  for name, value in pairs(handle:headers()) do
    size = size + #name + #value
    count = count + 1
  end
  if size > %(size)s or count > %(count)s then
    handle:respond({[":status"] = "431", ["content-type"] = "application/json"},
      '{"error": {"status": 431, "message": "The headers of the request are larger than what is accepted here."}}')
  end
end
"""
_NO_LIMIT = "math.huge"


def configuration(traffic: ir.Traffic) -> Any | None:
    limits = traffic.request_headers
    if limits is None:
        return None
    size = _NO_LIMIT if limits.size is None else limits.size
    count = _NO_LIMIT if limits.count is None else limits.count
    return lua.script(_SCRIPT % {"size": size, "count": count})
