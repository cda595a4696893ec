"""Who may come, by address: 403 for everybody else.

It stands in every chain with nothing to say, and a site's routes say whom they let in. It cannot be switched on by a
route instead: Envoy decides that before the filters above have found the site of a host in capitals or of a wildcard,
which would be let in unasked.
"""

from typing import Any

from envoy.config.rbac.v3 import rbac_pb2 as rules
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from google.protobuf import any_pb2

from isoline.routing import ir
from isoline.xds.filters.place import Place
from isoline.xds.messages import packed

NAME = "isoline.addresses"


def applies(_place: Place) -> bool:
    return True


def http_filter(_place: Place) -> Any:
    return hcm.HttpFilter(name=NAME, typed_config=packed(rbac_pb2.RBAC()))


def per_route(source: ir.AddressFilter) -> any_pb2.Any:
    """What a route or a virtual host says."""
    message = rbac_pb2.RBACPerRoute()
    message.rbac.rules.action = rules.RBAC.ALLOW if source.allow else rules.RBAC.DENY
    policy = message.rbac.rules.policies["addresses"]
    policy.permissions.add(any=True)
    for each in source.ranges:
        principal = policy.principals.add()
        address = principal.remote_ip if each.forwarded else principal.direct_remote_ip
        address.address_prefix = each.address
        address.prefix_len.value = each.prefix_length
    return packed(message)
