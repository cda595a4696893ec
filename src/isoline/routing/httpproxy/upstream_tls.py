"""services[].validation: the CA and the names that an upstream's certificate must have."""

from isoline.routing.httpproxy.unsupported import Unsupported

SERVICE = (Unsupported("validation", "ServiceError", lambda service: service.validation is not None),)
