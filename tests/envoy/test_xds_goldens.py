"""Everything that the goldens show is taken by a real Envoy."""

import msgspec

from golden.xds import features, gateways, parts
from isoline.routing import ir
from isoline.xds import types
from unit.xds.edge import Edge
from unit.xds.support import certificate, respond


async def test_a_real_envoy_takes_every_feature(edge: Edge) -> None:
    edge.world.put_certificate(certificate("default/cert", "*.example.com"))
    edge.world.put_endpoints(features.ENDPOINTS)
    for number, site in enumerate(features.SITES.values()):
        host = site.host if site.wildcard else f"s{number}.example.com"
        edge.world.put(msgspec.structs.replace(site, host=host))
    edge.world.put(ir.Site(host="last.example.com", http=(respond("last"),)))
    await edge.answers("http://last.example.com/", text="last")

    async def all_taken() -> bool:
        held = edge.server.streams[0].held
        return held.get(types.ROUTES, 0) >= len(features.SITES)

    await edge.eventually(all_taken)
    assert edge.rejected == []


async def test_a_real_envoy_takes_every_gateway(edge: Edge) -> None:
    edge.world.put_certificate(certificate("default/cert", "*.example.com"))
    edge.world.put(features.SITES["wildcard"])
    for number, gateway in enumerate(gateways.GATEWAYS.values()):
        edge.world.gateway = msgspec.structs.replace(
            gateway,
            http=gateway.http and ir.Listener(address="127.0.0.1", port=edge.http_port),
            https=gateway.https and ir.Listener(address="127.0.0.1", port=edge.https_port),
            access_log=gateway.access_log
            and msgspec.structs.replace(gateway.access_log, path=str(edge.folder / "log")),
        )
        edge.world.listen()
        scheme = "http" if gateway.http else "https"
        edge.world.put(
            ir.Site(
                host="*.example.com",
                http=(respond(f"{number}"),),
                https=(respond(f"{number}"),),
                tls=parts.TLS,
                own_chain=True,
            )
        )
        await edge.answers(f"{scheme}://a.example.com/", text=f"{number}")
    assert edge.rejected == []
