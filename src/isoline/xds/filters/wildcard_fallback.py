"""On the fallback certificate, too, a Host without a site of its own is its wildcard's, or else the catch-all's."""

from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.xds.filters import lua
from isoline.xds.filters.place import Place
from isoline.xds.filters.wildcard import one_label_up
from isoline.xds.messages import packed

NAME = "isoline.wildcard_fallback"


def applies(place: Place) -> bool:
    return place.scheme == "fallback"


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=packed(lua.script(one_label_up("fallback"))))
