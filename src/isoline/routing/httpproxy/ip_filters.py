"""ipAllowPolicy and ipDenyPolicy, of the virtual host and of routes."""

from isoline.routing.httpproxy.unsupported import Unsupported

HOST = ROUTE = (
    Unsupported("ipAllowPolicy", "IPFilterError", lambda item: item.ip_allow_policy),
    Unsupported("ipDenyPolicy", "IPFilterError", lambda item: item.ip_deny_policy),
)
