"""What becomes of a host's connections on HTTPS: TLS that ends here or goes on, requests or bytes, and for whom."""

from typing import NamedTuple

import msgspec

from isoline.objects import HTTPProxy
from isoline.routing import ir
from isoline.routing.httpproxy import client_validation, fallback_certificate, tcpproxy
from isoline.routing.httpproxy.scope import Fault
from isoline.routing.httpproxy.site import SiteDraft
from isoline.routing.httpproxy.tls import compile_tls, needs_own_chain


class Ending(NamedTuple):
    """Named as the fields of `ir.Site`, but for the first."""

    secure: bool = False
    """The host is one of HTTPS: plain HTTP leads there."""
    tls: ir.Tls | None = None
    tunnel: ir.Tunnel | None = None
    own_chain: bool = False
    fallback: str = ""


PLAIN = Ending()


def compile_ending(host: str, proxy: HTTPProxy, site: SiteDraft) -> Ending:
    """Return how HTTPS ends for a root. Raises Fault when it cannot.

    Client certificates are looked at by `with_clients`: what is wrong with them does not stop the checks of routes.
    """
    root, namespace = proxy.spec.virtualhost, proxy.metadata.namespace
    assert root is not None
    if root.tls is None:
        return PLAIN
    scope = site.root.at("virtualhost")
    if root.tls.passthrough:
        if proxy.spec.tcpproxy is None:
            text = "without a tcpproxy nothing answers on HTTPS"
            scope.at("tls.passthrough").warn("TLSError", text)
            return Ending(secure=True)
        return Ending(secure=True, tunnel=tcpproxy.compile_tunnel(proxy, site), own_chain=True)
    tls = compile_tls(root.tls, namespace, site.view, scope)
    fallback = fallback_certificate.compile_fallback(root.tls, namespace, site.view, scope)
    if proxy.spec.tcpproxy is not None:
        if fallback:
            text = "means nothing with a tcpproxy: without a server name nobody knows which host is meant"
            scope.at("tls.enableFallbackCertificate").warn("TLSError", text)
        return Ending(secure=True, tls=tls, tunnel=tcpproxy.compile_tunnel(proxy, site), own_chain=True)
    own_chain = needs_own_chain(host, root.tls, tls, site.view)
    return Ending(secure=True, tls=tls, own_chain=own_chain, fallback=fallback)


def with_clients(ending: Ending, proxy: HTTPProxy, site: SiteDraft) -> Ending | None:
    """Return the ending with whom clients must prove to be; None, with the fault reported, if that cannot be told."""
    root = proxy.spec.virtualhost
    assert root is not None
    if ending.tls is None or root.tls is None or root.tls.client_validation is None:
        return ending
    scope = site.root.at("virtualhost.tls")
    try:
        clients = client_validation.compile_clients(
            root.tls.client_validation, proxy.metadata.namespace, site.view, scope
        )
    except Fault as fault:
        scope.report.errors[fault.finding] = None
        return None
    return ending._replace(tls=msgspec.structs.replace(ending.tls, clients=clients), own_chain=True)
