"""On a wildcard's TLS chain, a server name without a site of its own is the wildcard's, one label up."""

from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.xds.filters import lua
from isoline.xds.filters.place import Place
from isoline.xds.messages import packed
from isoline.xds.names import SCOPE_HEADER

NAME = "isoline.wildcard_tls"

_SCRIPT = f"""
function envoy_on_request(handle)
  local info = handle:streamInfo()
  local headers = handle:headers()
  local server_name = string.lower(info:requestedServerName())
  if info:routeName() ~= "" then
    if headers:get("{SCOPE_HEADER}") ~= "https/" .. server_name then
      handle:respond({{[":status"] = "421"}}, "")
    end
    return
  end
  local parent = string.match(server_name, "^[^.]+(%..+)$")
  if parent then
    headers:replace("{SCOPE_HEADER}", "https/*" .. parent)
    handle:clearRouteCache()
  end
end
"""


def applies(place: Place) -> bool:
    return place.wildcard


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=packed(lua.script(_SCRIPT)))
