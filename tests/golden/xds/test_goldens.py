"""What Envoy is told, feature by feature, to be read by people.

After a change that is meant: `GOLDENS=write pytest tests/golden/xds`, and read the difference.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2, scoped_route_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf import json_format

from golden.xds import features
from isoline.xds import types
from isoline.xds.resources import Resource

_FOLDER = Path(__file__).parent
_MESSAGES: dict[str, Any] = {
    types.CLUSTER: cluster_pb2.Cluster,
    types.ENDPOINTS: endpoint_pb2.ClusterLoadAssignment,
    types.EXTENSION: extension_pb2.TypedExtensionConfig,
    types.LISTENER: listener_pb2.Listener,
    types.SECRET: secret_pb2.Secret,
    types.SCOPE: scoped_route_pb2.ScopedRouteConfiguration,
    types.ROUTES: route_pb2.RouteConfiguration,
}


def readable(resource: Resource) -> dict[str, Any]:
    """The message as JSON, and what it waits for."""
    message = _MESSAGES[resource.name.type_url].FromString(resource.body)
    shown = {
        "type": resource.name.type_url.rpartition(".")[2],
        "name": resource.name.name,
        "message": json_format.MessageToDict(message, preserving_proto_field_name=True),
    }
    for link in ("needs", "brings"):
        if names := getattr(resource, link):
            shown[link] = [f"{name.type_url.rpartition('.')[2]} {name.name}" for name in names]
    return shown


@pytest.mark.parametrize("feature", features.rendered())
def test_what_envoy_is_told(feature: str) -> None:
    file = _FOLDER / f"{feature}.json"
    told = [readable(resource) for resource in features.rendered()[feature]]
    if os.environ.get("GOLDENS") == "write":
        file.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    assert told == json.loads(file.read_text())


def test_every_golden_has_its_feature() -> None:
    assert {file.stem for file in _FOLDER.glob("*.json")} == set(features.rendered())
