"""services[].slowStartPolicy: a growing share for endpoints that have just come."""

from isoline.routing.httpproxy.unsupported import Unsupported

SERVICE = (Unsupported("slowStartPolicy", "ServiceError", lambda service: service.slow_start_policy is not None),)
