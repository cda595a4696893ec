"""New attributes for the cookies that an app sets.

One script for all, named by the routes and services that want it, which bring what is to change as data.
"""

from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds.filters.place import Place
from isoline.xds.messages import packed

NAME = "isoline.cookies"

_SCRIPT_NAME = "cookies"
_SCRIPT = """
local function rewritten(cookie, rewrites)
  local name = string.match(cookie, "^%s*([^=;]-)%s*=")
  local wanted = name and rewrites:get(name)
  if not wanted then
    return nil
  end
  local left = {}
  for attribute, text in pairs(wanted.set or {}) do
    left[attribute] = text
  end
  local parts = {}
  for part in string.gmatch(cookie, "[^;]+") do
    local attribute = #parts > 0 and string.lower(string.match(part, "^%s*([^=]-)%s*$") or
                                                  string.match(part, "^%s*([^=]-)%s*="))
    if attribute and wanted.set and wanted.set[attribute] then
      if left[attribute] then
        parts[#parts + 1] = " " .. left[attribute]
        left[attribute] = nil
      end
    elseif not (attribute and wanted.remove and wanted.remove[attribute]) then
      parts[#parts + 1] = part
    end
  end
  for _, attribute in ipairs({"path", "domain", "secure", "samesite"}) do
    if left[attribute] then
      parts[#parts + 1] = " " .. left[attribute]
    end
  end
  return table.concat(parts, ";")
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local count = headers:getNumValues("set-cookie")
  if count == 0 then
    return
  end
  local rewrites = handle:filterContext()
  local cookies, changed = {}, false
  for index = 0, count - 1 do
    local cookie = headers:getAtIndex("set-cookie", index)
    local new = rewritten(cookie, rewrites)
    changed = changed or new ~= nil
    cookies[#cookies + 1] = new or cookie
  end
  if changed then
    headers:remove("set-cookie")
    for _, cookie in ipairs(cookies) do
      headers:add("set-cookie", cookie)
    end
  end
end
"""


def applies(place: Place) -> bool:
    return NAME in place.used


def wanted_by(site: ir.Site) -> bool:
    """Whether a site needs the filter."""
    return any(_rewrites(route) for route in (*site.http, *site.https))


def _rewrites(route: ir.Route) -> bool:
    return bool(route.cookies) or (
        isinstance(route.action, ir.Forward) and any(share.cookies for share in route.action.shares)
    )


def http_filter(_place: Place) -> Any:
    scripts = {_SCRIPT_NAME: base_pb2.DataSource(inline_string=_SCRIPT)}
    return hcm.HttpFilter(name=NAME, typed_config=packed(lua_pb2.Lua(source_codes=scripts)))


def per_route(rewrites: tuple[ir.CookieRewrite, ...]) -> any_pb2.Any:
    """What a route or a service says."""
    message = lua_pb2.LuaPerRoute(name=_SCRIPT_NAME)
    message.filter_context.update({each.name: _changes(each) for each in rewrites})
    return packed(message)


def _changes(source: ir.CookieRewrite) -> dict[str, Any]:
    """What is set and removed, by the attribute's name in lower case."""
    attributes: dict[str, Any] = {}
    if source.path is not None:
        attributes["path"] = f"Path={source.path}"
    if source.domain is not None:
        attributes["domain"] = f"Domain={source.domain}"
    if source.secure:
        attributes["secure"] = "Secure"
    if source.same_site is not None:
        attributes["samesite"] = f"SameSite={source.same_site}"
    return {"set": attributes, "remove": {"secure": True} if source.secure is False else {}}
