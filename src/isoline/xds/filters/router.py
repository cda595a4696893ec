"""Sends the request on."""

from typing import Any

from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from isoline.xds.filters.place import Place
from isoline.xds.messages import packed

NAME = "envoy.filters.http.router"


def applies(_place: Place) -> bool:
    return True


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=packed(router_pb2.Router()))
