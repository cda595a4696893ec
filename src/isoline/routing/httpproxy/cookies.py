"""cookieRewritePolicies of routes and of services; the faults of both are the route's (Contour's rule)."""

from isoline.routing.httpproxy.unsupported import Unsupported

ROUTE = SERVICE = (Unsupported("cookieRewritePolicies", "RouteError", lambda item: item.cookie_rewrite_policies),)
