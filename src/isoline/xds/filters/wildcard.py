"""A host without a site of its own on plain HTTP is its wildcard's, one label up, or else the catch-all's.

The script comes as an extension of its own: while there is neither it is empty, and to fill it drains nobody.
A route without a name is how Envoy says that no scope was found.
"""

from typing import Any

from envoy.config.core.v3 import config_source_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.routing import ir
from isoline.xds import messages, names, types
from isoline.xds.filters import lua
from isoline.xds.filters.place import Place
from isoline.xds.resources import Resource

NAME = names.WILDCARD_FILTER


def one_label_up(scheme: names.Scheme) -> str:
    """The script that looks for the wildcard of a Host that has no scope of this scheme, then for the catch-all.

    A route's name is read anew only once something has asked for the route, as its metadata does.
    """
    return f"""
function envoy_on_request(handle)
  if handle:streamInfo():routeName() ~= "" then
    return
  end
  local headers = handle:headers()
  local parent = string.match(headers:get("{names.SCOPE_HEADER}"), "^{scheme}/[^.]+(%..+)$")
  if parent then
    headers:replace("{names.SCOPE_HEADER}", "{scheme}/*" .. parent)
    handle:clearRouteCache()
    handle:metadata()
    if handle:streamInfo():routeName() ~= "" then
      return
    end
  end
  headers:replace("{names.SCOPE_HEADER}", "{scheme}/{ir.CATCH_ALL}")
  handle:clearRouteCache()
end
"""


def applies(place: Place) -> bool:
    return place.scheme == "http"


def http_filter(_place: Place) -> Any:
    lua_type = messages.packed(lua_pb2.Lua()).type_url
    source = config_source_pb2.ExtensionConfigSource(config_source=messages.ads(), type_urls=[lua_type])
    return hcm.HttpFilter(name=NAME, config_discovery=source)


def extension(*, wildcards: bool) -> Resource:
    """The script, or an empty one while neither a wildcard host nor a catch-all exists."""
    config = lua.script(one_label_up("http")) if wildcards else lua_pb2.Lua()
    return messages.as_resource(types.EXTENSION, NAME, messages.extension(NAME, config))
