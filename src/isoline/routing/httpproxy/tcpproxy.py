"""tcpproxy, and TLS that is passed through to it."""

from isoline.routing.httpproxy.unsupported import Unsupported

SPEC = (Unsupported("tcpproxy", "TCPProxyError", lambda spec: spec.tcpproxy is not None),)
TLS = (Unsupported("passthrough", "TLSError", lambda tls: tls.passthrough),)
