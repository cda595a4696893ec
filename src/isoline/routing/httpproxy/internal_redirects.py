"""internalRedirectPolicy: redirects of an upstream that Envoy follows itself."""

from isoline.routing.httpproxy.unsupported import Unsupported

ROUTE = (Unsupported("internalRedirectPolicy", "RouteError", lambda route: route.internal_redirect_policy is not None),)
