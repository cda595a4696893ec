"""Marks requests with the log that they go to; the loggers of the listener look for their mark."""

from typing import Any

from envoy.extensions.filters.http.set_metadata.v3 import set_metadata_pb2

from isoline.routing import ir
from isoline.xds.access_logs import DEFAULT, MARK, NAMESPACE, NOWHERE
from isoline.xds.filters import lua
from isoline.xds.messages import packed

NAME = "isoline.access_log"

_DRAWN = """
function envoy_on_request(handle)
  local log = math.random(100) <= %(percent)d and "%(name)s" or "%(nowhere)s"
  handle:streamInfo():dynamicMetadata():set("%(namespace)s", "%(mark)s", log)
end
"""


def configuration(traffic: ir.Traffic) -> Any | None:
    choice = traffic.access_log
    if choice is None:
        return None
    name = choice.name or DEFAULT
    if 0 < choice.percent < 100:
        said = {"percent": choice.percent, "name": name, "nowhere": NOWHERE, "namespace": NAMESPACE, "mark": MARK}
        return lua.script(_DRAWN % said)
    message = set_metadata_pb2.Config()
    entry = message.metadata.add(metadata_namespace=NAMESPACE)
    entry.value.update({MARK: name if choice.percent else NOWHERE})
    return packed(message)
