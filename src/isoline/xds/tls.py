"""How a filter chain ends TLS."""

from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2

from isoline.routing import ir
from isoline.xds import names
from isoline.xds.messages import ads, extension, packed, typed_struct
from isoline.xds.own_chains import OwnChain

_EXTENSIONS = "envoy.extensions.transport_sockets.tls."
_ALPN = {"1.1": "http/1.1", "2": "h2"}
_NO_SERVER_NAME = "-"
"""What is asked for when the handshake names nobody; no host is called that."""

_VERSIONS = {
    ir.TlsVersion.V1_2: common_pb2.TlsParameters.TLSv1_2,
    ir.TlsVersion.V1_3: common_pb2.TlsParameters.TLSv1_3,
}


def shared(gateway: ir.Gateway) -> base_pb2.TransportSocket:
    """The gateway's parameters, and certificates by the handshake's server name."""
    context = _context(gateway, gateway.tls_minimum, gateway.tls_maximum)
    _select_on_demand(context)
    return _transport_socket(context)


def own(chain: OwnChain, tls: ir.Tls, gateway: ir.Gateway) -> base_pb2.TransportSocket:
    """Parameters of its own where the chain has them; one named certificate for a wildcard.

    A tunnel offers no protocol: what is inside is not known here.
    """
    minimum, maximum = tls.minimum or gateway.tls_minimum, tls.maximum or gateway.tls_maximum
    context = _context(gateway, minimum, maximum, names_protocols=not chain.tunnel)
    common = context.common_tls_context
    if tls.certificate:
        common.tls_certificate_sds_secret_configs.add(name=tls.certificate, sds_config=ads())
    else:
        _select_on_demand(context)
    if tls.clients is not None:
        context.require_client_certificate.value = not tls.clients.optional
        common.validation_context_sds_secret_config.name = names.clients(chain.clients)
        common.validation_context_sds_secret_config.sds_config.CopyFrom(ads())
    return _transport_socket(context)


def http3_context(certificate: str) -> tls_pb2.DownstreamTlsContext:
    """One named certificate; QUIC is TLS 1.3 with parameters of its own."""
    context = tls_pb2.DownstreamTlsContext()
    context.common_tls_context.alpn_protocols.append("h3")
    context.common_tls_context.tls_certificate_sds_secret_configs.add(name=certificate, sds_config=ads())
    return context


def fallback(certificate: str, gateway: ir.Gateway) -> base_pb2.TransportSocket:
    """The one certificate for everybody who names no known host."""
    context = _context(gateway, gateway.tls_minimum, gateway.tls_maximum)
    context.common_tls_context.tls_certificate_sds_secret_configs.add(name=certificate, sds_config=ads())
    return _transport_socket(context)


def _select_on_demand(context: tls_pb2.DownstreamTlsContext) -> None:
    """Each certificate is fetched when it is first asked for.

    Envoy takes this selector only with both ways to resume a session off.
    """
    context.disable_stateless_session_resumption = True
    context.disable_stateful_session_resumption = True
    source = {"ads": {}, "resource_api_version": "V3"}
    mapper = {
        "name": "envoy.tls.certificate_mappers.sni",
        "typed_config": {
            "@type": f"type.googleapis.com/{_EXTENSIONS}cert_mappers.sni.v3.SNI",
            "default_value": _NO_SERVER_NAME,
        },
    }
    selector = typed_struct(
        f"{_EXTENSIONS}cert_selectors.on_demand_secret.v3.Config",
        {"config_source": source, "certificate_mapper": mapper},
    )
    context.common_tls_context.custom_tls_certificate_selector.CopyFrom(
        extension("envoy.tls.certificate_selectors.on_demand_secret", selector)
    )


def _context(
    gateway: ir.Gateway, minimum: ir.TlsVersion, maximum: ir.TlsVersion, *, names_protocols: bool = True
) -> tls_pb2.DownstreamTlsContext:
    context = tls_pb2.DownstreamTlsContext()
    if names_protocols:
        context.common_tls_context.alpn_protocols.extend(_ALPN[each] for each in reversed(gateway.http_versions))
    parameters = context.common_tls_context.tls_params
    parameters.tls_minimum_protocol_version = _VERSIONS[minimum]
    parameters.tls_maximum_protocol_version = _VERSIONS[maximum]
    parameters.cipher_suites.extend(gateway.tls_ciphers)
    parameters.ecdh_curves.extend(gateway.tls_curves)
    return context


def _transport_socket(context: tls_pb2.DownstreamTlsContext) -> base_pb2.TransportSocket:
    return base_pb2.TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(context))
