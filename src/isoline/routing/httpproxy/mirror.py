"""services[].mirror: a copy of each request for another service."""

from isoline.routing.httpproxy.unsupported import Unsupported

SERVICE = (Unsupported("mirror", "ServiceError", lambda service: service.mirror),)
