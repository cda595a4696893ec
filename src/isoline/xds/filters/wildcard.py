"""A host without a site of its own on plain HTTP is its wildcard's, one label up, or else the catch-all's.

A route without a name is how Envoy says that no scope was found.
"""

from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.routing import ir
from isoline.xds import messages, names
from isoline.xds.filters import lua
from isoline.xds.filters.place import Place

NAME = "isoline.wildcard"


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
    return place.scheme == "http" and NAME in place.used


def wanted_by(site: ir.Site) -> bool:
    """Whether a site needs the filter."""
    return bool(site.http) and (site.wildcard or site.catch_all)


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=messages.packed(lua.script(one_label_up("http"))))
