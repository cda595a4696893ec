"""Which hosts are on one filter chain."""

import msgspec
import pytest

from isoline.routing import ir
from isoline.xds.own_chains import by_host, clients_digest, own_chain

GATEWAY = ir.Gateway(http=None, https=ir.Listener(address="127.0.0.1", port=443))
CLIENTS = ir.ClientCertificates(name="certs/ca -", authorities=b"ONE")
TUNNEL = ir.Tunnel(shares=(ir.Share(cluster="default/app", weight=1),))


def chain(
    host: str,
    *,
    certificate: str = "default/tls",
    clients: ir.ClientCertificates | None = None,
    minimum: ir.TlsVersion | None = None,
    tunnel: ir.Tunnel | None = None,
) -> ir.Chain:
    return ir.Chain(host=host, tls=ir.Tls(certificate=certificate, clients=clients, minimum=minimum), tunnel=tunnel)


def names(*chains: ir.Chain) -> list[str]:
    """The chain of each, empty for the one that everybody shares."""
    found = by_host({each.host: own_chain(each) for each in chains}, GATEWAY)
    return ["" if (own := found[each.host]) is None else own.name for each in chains]


def test_a_thousand_hosts_with_certificates_of_their_own_that_trust_one_authority_are_on_one_chain() -> None:
    hosts = [chain(f"s{number}.example", certificate=f"s{number}/tls", clients=CLIENTS) for number in range(1000)]
    (name,) = set(names(*hosts))
    assert name


def test_what_an_authority_is_at_the_moment_makes_no_chain() -> None:
    renewed = msgspec.structs.replace(CLIENTS, authorities=b"TWO", revocations=b"LIST")
    one, two = names(chain("a.example", clients=CLIENTS), chain("b.example", clients=renewed))
    assert one == two


@pytest.mark.parametrize(
    "change",
    [
        {"name": "certs/other -"},
        {"name": "certs/ca certs/lists"},
        {"optional": True},
        {"verify": False},
        {"only_leaf_revocation": True},
        {"forward": ir.ForwardedCertificate(subject=True)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_else_clients_are_asked_for_tells_chains_apart(change: dict[str, object]) -> None:
    one, two = names(
        chain("a.example", clients=CLIENTS), chain("b.example", clients=msgspec.structs.replace(CLIENTS, **change))
    )
    assert one != two


def test_clients_of_nobody_elses_are_checked_apart() -> None:
    nameless = msgspec.structs.replace(CLIENTS, name="")
    one, two = names(chain("a.example", clients=nameless), chain("b.example", clients=nameless))
    assert one != two
    assert clients_digest(nameless, "a.example") != clients_digest(nameless, "b.example")


def test_the_chain_names_what_the_site_gives() -> None:
    optional = msgspec.structs.replace(CLIENTS, optional=True)
    assert own_chain(chain("a.example", clients=optional)).clients == clients_digest(CLIENTS, "b.example")


def test_versions_other_than_the_gateways_are_a_chain_and_the_gateways_are_none() -> None:
    strict, same, also = names(
        chain("a.example", minimum=ir.TlsVersion.V1_3),
        chain("b.example", minimum=GATEWAY.tls_minimum),
        chain("c.example", minimum=ir.TlsVersion.V1_3),
    )
    assert strict == also != ""
    assert same == ""


def test_wildcards_share_with_those_of_the_same_certificate() -> None:
    one, two, other, exact = names(
        chain("*.a.example"), chain("*.b.example"), chain("*.c.example", certificate="other/tls"), chain("x.a.example")
    )
    assert one == two
    assert len({one, other, exact}) == 3
    assert exact == ""


def test_each_tunnel_stands_alone_whatever_it_leads_to() -> None:
    elsewhere = ir.Tunnel(shares=())
    a, b = names(chain("a.example", tunnel=TUNNEL), chain("b.example", tunnel=TUNNEL))
    assert a != b
    assert own_chain(chain("a.example", tunnel=TUNNEL)) == own_chain(chain("a.example", tunnel=elsewhere))
