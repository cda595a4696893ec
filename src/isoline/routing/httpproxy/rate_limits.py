"""rateLimitPolicy of the virtual host and of routes."""

from isoline.objects.httpproxy import Route, VirtualHost
from isoline.routing.httpproxy.unsupported import Unsupported


def _in_use(item: Route | VirtualHost) -> bool:
    policy = item.rate_limit_policy
    return policy is not None and (
        policy.local is not None or (policy.global_ is not None and bool(policy.global_.descriptors))
    )


HOST = (Unsupported("rateLimitPolicy", "VirtualHostError", _in_use),)
ROUTE = (Unsupported("rateLimitPolicy", "RouteError", _in_use),)
