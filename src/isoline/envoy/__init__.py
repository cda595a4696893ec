"""The real Envoy: its bootstrap, its supervision and its admin interface."""

from isoline.envoy.admin import AdminClient, AdminError
from isoline.envoy.binary import EnvoyMissingError
from isoline.envoy.bootstrap import XDS_CLUSTER, BootstrapSettings
from isoline.envoy.instances import EnvoyError
from isoline.envoy.supervisor import Envoy, EnvoyEvent

__all__ = [
    "XDS_CLUSTER",
    "AdminClient",
    "AdminError",
    "BootstrapSettings",
    "Envoy",
    "EnvoyError",
    "EnvoyEvent",
    "EnvoyMissingError",
]
