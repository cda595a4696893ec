"""virtualhost.corsPolicy."""

from isoline.routing.httpproxy.unsupported import Unsupported

HOST = (Unsupported("corsPolicy", "CORSError", lambda host: host.cors_policy is not None),)
