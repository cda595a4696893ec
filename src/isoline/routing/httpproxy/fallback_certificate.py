"""virtualhost.tls.enableFallbackCertificate: the certificate of clients that send no server name."""

from isoline.routing.httpproxy.unsupported import Unsupported

TLS = (
    # Contour's reason where no fallback certificate is configured, and here none can be.
    Unsupported(
        "enableFallbackCertificate", "TLSError", lambda tls: tls.enable_fallback_certificate, "FallbackNotPresent"
    ),
)
