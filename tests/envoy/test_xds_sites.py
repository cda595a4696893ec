"""Which site answers: exact hosts, wildcards, letters, forged headers, and the two names of one connection."""

from typing import TYPE_CHECKING

from isoline.routing import ir
from unit.xds.support import certificate, respond

if TYPE_CHECKING:
    from unit.xds.edge import Edge


async def test_an_exact_host_is_served_on_both_schemes(edge: "Edge") -> None:
    edge.world.put_certificate(certificate("default/a", "a.example.com"), ["a.example.com"])
    edge.world.put(
        ir.Site(
            host="a.example.com",
            http=(respond("plain"),),
            https=(respond("secure"),),
            tls=ir.Tls(certificate="default/a"),
        )
    )
    await edge.answers("http://a.example.com/", text="plain")
    await edge.answers("https://a.example.com/", text="secure")
    assert (await edge.get("https://a.example.com/", http2=True)).http_version == "HTTP/2"
