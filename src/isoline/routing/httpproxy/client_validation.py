"""virtualhost.tls.clientValidation: client certificates."""

from isoline.routing.httpproxy.unsupported import Unsupported

TLS = (Unsupported("clientValidation", "TLSError", lambda tls: tls.client_validation is not None),)
