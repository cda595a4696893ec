"""A client may send requests for several hosts over one connection whose certificate covers them all.

On a wildcard's chain that certificate covers exact sites as well, which must not be answered by the wildcard's
routes. Here the scope of a Host other than the handshake's is looked up; `wildcard_tls` says 421 if there is one.
Two scripts, as Envoy reads a route's name once a script.
"""

from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.xds.filters import lua
from isoline.xds.filters.place import Place
from isoline.xds.messages import packed
from isoline.xds.names import SCOPE_HEADER

NAME = "isoline.coalescing"

_SCRIPT = f"""
function envoy_on_request(handle)
  local info = handle:streamInfo()
  if info:routeName() ~= "" then
    return
  end
  local headers = handle:headers()
  local host = string.lower(string.match(headers:get(":authority"), "^[^:]*"))
  if host ~= string.lower(info:requestedServerName()) then
    headers:replace("{SCOPE_HEADER}", "https/" .. host)
    handle:clearRouteCache()
  end
end
"""


def applies(place: Place) -> bool:
    return place.wildcard


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=packed(lua.script(_SCRIPT)))
