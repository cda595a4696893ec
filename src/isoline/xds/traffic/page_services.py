"""Answers of a Service in place of errors, whoever made them. Where the Service does not answer, the error stays."""

from typing import Any

from isoline.routing import ir
from isoline.xds.filters import lua
from isoline.xds.traffic.error_pages import own_statuses

NAME = "isoline.page_services"

_TIMEOUT_MILLISECONDS = 2000
_SCRIPT = """
local pages = {%(pages)s}

function envoy_on_response(handle)
  local page = pages[handle:headers():get(":status")]
  if page == nil then
    return
  end
  -- The error's own body is held first: once it is on its way, nothing can take its place.
  handle:body(true)
  local request = {[":method"] = "GET", [":path"] = page.path, [":authority"] = page.host}
  local headers, body = handle:httpCall(page.cluster, request, "", %(timeout)d)
  if headers == nil or headers[":status"] ~= "200" or body == nil then
    return
  end
  handle:headers():replace("content-type", headers["content-type"] or "text/html; charset=utf-8")
  handle:headers():remove("content-encoding")
  handle:headers():replace("content-length", tostring(handle:body(true):setBytes(body)))
  if page.status then
    handle:headers():replace(":status", page.status)
  end
end
"""


def configuration(traffic: ir.Traffic) -> Any | None:
    entries: list[str] = []
    for page, statuses in zip(traffic.error_pages, own_statuses(traffic.error_pages), strict=True):
        if page.cluster:
            status = "nil" if page.status is None else f'"{page.status}"'
            said = f'cluster = "{page.cluster}", host = "{page.host}", path = "{page.path}", status = {status}'
            entries += (f'["{each}"] = {{{said}}}' for each in statuses)
    if not entries:
        return None
    return lua.script(_SCRIPT % {"pages": ", ".join(entries), "timeout": _TIMEOUT_MILLISECONDS})
