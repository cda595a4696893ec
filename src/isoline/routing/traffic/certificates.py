"""The certificate that upstreams are shown."""

import msgspec

from isoline.objects.traffic_policy_load import ClientCertificate
from isoline.routing import ir
from isoline.routing.certificates import find_secret, secret_problem
from isoline.routing.httpproxy.upstream_tls import ENDS_TLS
from isoline.routing.traffic.place import Place


def compile_client_certificate(setting: ClientCertificate, place: Place) -> str:
    """Return the name of the certificate. Raises Fault where its Secret cannot serve as one, and never could."""
    place = place.at("secretName")
    name = f"{place.namespace}/{setting.secret_name}"
    secret = find_secret(name, place.view)
    if (secret is None or secret_problem(secret)) and place.view.kept_until(name):
        return name
    if secret is None:
        raise place.missing("SecretNotFound", f'Secret "{name}" not found')
    if problem := secret_problem(secret):
        raise place.missing("SecretInvalid", f'Secret "{name}" is invalid: {problem}')
    return name


def with_client_certificate(cluster: ir.Cluster, name: str) -> ir.Cluster:
    """Return the cluster; one that speaks no TLS stays as it is."""
    return msgspec.structs.replace(cluster, client_certificate=name) if cluster.protocol in ENDS_TLS else cluster
