"""One site or gateway for each thing that the IR can say."""

from collections.abc import Mapping

from golden.xds.access import ACCESS
from golden.xds.gateways import GATEWAYS
from golden.xds.hosts import HOSTS
from golden.xds.parts import APP, GATEWAY
from golden.xds.policies import POLICIES
from golden.xds.routes import ROUTES
from golden.xds.upstreams import UPSTREAMS
from isoline.routing import ir
from isoline.xds.filters.table import used_by
from isoline.xds.own_chains import own_chain
from isoline.xds.render import render_endpoints, render_gateway, render_site
from isoline.xds.resources import Resource

SITES: Mapping[str, ir.Site] = {**ROUTES, **HOSTS, **UPSTREAMS, **ACCESS, **POLICIES}

ENDPOINTS = ir.Endpoints(
    name=APP.endpoints,
    endpoints=(
        ir.Endpoint(address="10.0.0.1", port=80),
        ir.Endpoint(address="10.0.0.2", port=80, weight=3, hostname="two", health_port=8081),
        ir.Endpoint(address="10.0.0.3", port=80, ready=False),
        ir.Endpoint(address="10.0.0.4", port=80, ready=False, draining=True),
    ),
)


def _gateway(name: str) -> list[Resource]:
    every = name == "gateway-of-chains"
    sites = SITES.values() if every else [SITES["wildcard"]]
    known = ("*.fallback.example.com", "other.example.com")
    return render_gateway(
        GATEWAYS[name],
        {site.host: own_chain(chain) for site in sites if (chain := site.chain) is not None},
        fallback=ir.Fallback(certificate="default/fallback", known=known) if every else None,
        used=frozenset[str]().union(*map(used_by, SITES.values())) if name == "gateway" else frozenset(),
    )


def rendered() -> dict[str, list[Resource]]:
    """Every feature's resources."""
    return {
        **{name: render_site(each, GATEWAY) for name, each in SITES.items()},
        **{name: _gateway(name) for name in GATEWAYS},
        "endpoints": [render_endpoints(ENDPOINTS)],
    }
