"""What the sites that show the IR's features are made of."""

from isoline.routing import ir
from unit.xds.support import cluster, prefix, respond

GATEWAY = ir.Gateway(
    http=ir.Listener(address="0.0.0.0", port=8080),
    https=ir.Listener(address="0.0.0.0", port=8443),
    public_https_port=8443,
)
TLS = ir.Tls(certificate="default/cert")
APP = cluster("app")


def path(kind: ir.PathKind, value: str) -> ir.Match:
    return ir.Match(path=ir.PathMatch(kind=kind, value=value))


def matching(name: str, match: ir.Match) -> ir.Route:
    return respond(name, match=match, name=name)


def headers(*matches: ir.HeaderMatch) -> ir.Match:
    return ir.Match(path=prefix("/").path, headers=matches)


def route(action: ir.Forward | ir.Redirect | ir.Respond | ir.HttpsRedirect, match: str = "/") -> ir.Route:
    return ir.Route(name=match, match=prefix(match), action=action)


def to_app(**options: object) -> ir.Forward:
    plain = ir.Forward(shares=(ir.Share(cluster=APP.name, weight=1),))
    return ir.Forward(**{**{name: getattr(plain, name) for name in plain.__struct_fields__}, **options})


def site(*routes: ir.Route, clusters: tuple[ir.Cluster, ...] = (APP,)) -> ir.Site:
    return ir.Site(host="app.example.com", http=routes, clusters=clusters)


VALUE, KIND = ir.HeaderMatch, ir.ValueKind

CA = b"""-----BEGIN CERTIFICATE-----
MIIBSDCB76ADAgECAhRt4ABAqwkSr/zHH0g+X4PiJsvW5zAKBggqhkjOPQQDAjAV
MRMwEQYDVQQDDApkZWZhdWx0L2NhMB4XDTI2MTEyMTE2MjIyNFoXDTI2MTIyMjE2
MjIyNFowFTETMBEGA1UEAwwKZGVmYXVsdC9jYTBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABDfuHo6PXk/pUV38hy+1MUJhDEFMuDpDNq2w+aSRgay6WFVnvftAT/aP
MRoIXCCA6bj35KPuS2pdwSuFpaAipMOjHTAbMBkGA1UdEQQSMBCCDmNhLmV4YW1w
bGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIQCH9wh1CBQF9uniTSFko+Q6x0GVqqlG
4c4iQgRG3rEOUQIgRUQAB8hfPjEmZhV+zpvZL1oDukfTFJqmuA8CtJbVw+Q=
-----END CERTIFICATE-----
"""
