"""The type URLs of the resources that travel here, and the order in which they do."""

_PREFIX = "type.googleapis.com/envoy."

CLUSTER = _PREFIX + "config.cluster.v3.Cluster"
ENDPOINTS = _PREFIX + "config.endpoint.v3.ClusterLoadAssignment"
SECRET = _PREFIX + "extensions.transport_sockets.tls.v3.Secret"
EXTENSION = _PREFIX + "config.core.v3.TypedExtensionConfig"
LISTENER = _PREFIX + "config.listener.v3.Listener"
SCOPE = _PREFIX + "config.route.v3.ScopedRouteConfiguration"
ROUTES = _PREFIX + "config.route.v3.RouteConfiguration"

ORDER = (CLUSTER, ENDPOINTS, SECRET, EXTENSION, LISTENER, SCOPE, ROUTES)
"""Make: what is pointed at comes before what points at it."""

REMOVAL_ORDER = (SCOPE, ROUTES, LISTENER, SECRET, CLUSTER, ENDPOINTS)
"""Break: what points goes before what was pointed at. No extension is taken away: Envoy says itself when the last
filter chain that had it has ended, and a chain that is about to be replaced would fall dumb without it."""

AT_ONCE = (EXTENSION,)
"""Types of which what Envoy has nothing of yet goes without what it needs: a whole listener waits for the answer, with
everybody on it."""

NEEDED = (CLUSTER, ENDPOINTS)
"""Types that others need, so that they go last."""

WITHOUT_NAMES_ALL = (CLUSTER, LISTENER, SCOPE)
"""Types for which a first request that names nothing asks for everything, as the protocol has it."""
