"""Host names ignore case, scope keys do not: the scope goes to lower case. And paths that two readers take for two are
refused with 400.

Apps that cut parameters off path segments (`;x=y`, RFC 3986 section 3.3) read `/..;/` as `/../`, and `/;/` as `/`,
after Envoy has taken them for names: `/public/..;/admin` would go round whatever guards `/admin`. Requests in lower
case without a semicolon, which is nearly all, skip this; one filter for both, as each costs every request.

On HTTPS the server name of a handshake is in lower case, and `path_parameters` does the rest.
"""

from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.xds.filters import lua, skipping
from isoline.xds.filters.place import Place
from isoline.xds.names import SCOPE_HEADER

NAME = "isoline.scope_case"

_SCRIPT = f"""
function envoy_on_request(handle)
  local headers = handle:headers()
  local path = string.match(headers:get(":path") or "", "^[^?]*")
  if string.find(string.gsub(path, "%%3[bB]", ";"), "/%.?%.?;") then
    handle:respond({{[":status"] = "400"}}, "")
    return
  end
  headers:replace("{SCOPE_HEADER}", string.lower(headers:get("{SCOPE_HEADER}")))
  handle:clearRouteCache()
end
"""


def applies(place: Place) -> bool:
    return place.scheme != "https"


def http_filter(_place: Place) -> Any:
    semicolon = skipping.either(skipping.contains(":path", ";"), skipping.contains(":path", "%3"))
    needless = skipping.both(skipping.matches(SCOPE_HEADER, "[^A-Z]*"), skipping.negated(semicolon))
    return hcm.HttpFilter(name=NAME, typed_config=skipping.skipped_if(needless, NAME, lua.script(_SCRIPT)))
