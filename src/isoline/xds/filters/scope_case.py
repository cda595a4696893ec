"""Host names ignore case, scope keys do not: the scope goes to lower case. Hosts already in lower case skip this."""

from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.xds.filters import lua, skipping
from isoline.xds.filters.place import Place
from isoline.xds.names import SCOPE_HEADER

NAME = "isoline.scope_case"

_SCRIPT = f"""
function envoy_on_request(handle)
  local headers = handle:headers()
  headers:replace("{SCOPE_HEADER}", string.lower(headers:get("{SCOPE_HEADER}")))
  handle:clearRouteCache()
end
"""


def applies(_place: Place) -> bool:
    return True


def http_filter(_place: Place) -> Any:
    config = skipping.skipped_if(SCOPE_HEADER, "[^A-Z]*", NAME, lua.script(_SCRIPT))
    return hcm.HttpFilter(name=NAME, typed_config=config)
