"""virtualhost.authorization: external authorization.

A route's authPolicy only changes what the virtual host's authorization does; without one there is nothing to change.
"""

from isoline.objects.httpproxy import VirtualHost
from isoline.routing.httpproxy.unsupported import Unsupported


def _in_use(host: VirtualHost) -> bool:
    server = host.authorization
    if server is None:
        return False
    switched_off = server.auth_policy is not None and server.auth_policy.disabled
    return bool(server.extension_ref.name) or not switched_off


HOST = (Unsupported("authorization", "AuthError", _in_use),)
