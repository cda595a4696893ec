"""Sites for what the IR says of a host: its certificate, its filter chain, its tunnel."""

from collections.abc import Mapping

from golden.xds.parts import APP, CA, TLS
from isoline.routing import ir
from unit.xds.support import TO_HTTPS, forward, respond

HOSTS: Mapping[str, ir.Site] = {
    "only-redirect": ir.Site(
        host="app.example.com", http=(TO_HTTPS,), https=(forward(APP.name),), tls=TLS, clusters=(APP,)
    ),
    "only-tls": ir.Site(host="app.example.com", tls=TLS),
    "wildcard": ir.Site(
        host="*.example.com", http=(respond("plain"),), https=(respond("secure"),), tls=TLS, own_chain=True
    ),
    "client-certificates": ir.Site(
        host="app.example.com",
        https=(respond("secure"),),
        tls=ir.Tls(
            certificate="default/cert",
            minimum=ir.TlsVersion.V1_3,
            clients=ir.ClientCertificates(
                authorities=CA,
                optional=True,
                forward=ir.ForwardedCertificate(subject=True, certificate=True, chain=True, dns=True, uri=True),
            ),
        ),
        own_chain=True,
    ),
    "tunnel": ir.Site(
        host="bytes.example.com",
        http=(TO_HTTPS,),
        tunnel=ir.Tunnel(shares=(ir.Share(cluster="bytes", weight=90), ir.Share(cluster="inside-tls", weight=10))),
        own_chain=True,
        clusters=(
            ir.Cluster(name="bytes", endpoints=APP.endpoints, protocol=ir.Upstream.TCP),
            ir.Cluster(name="inside-tls", endpoints=APP.endpoints, protocol=ir.Upstream.TCP_TLS),
        ),
    ),
    "fallback": ir.Site(
        host="*.fallback.example.com",
        https=(respond("secure"),),
        tls=TLS,
        own_chain=True,
        fallback="default/fallback",
    ),
}
