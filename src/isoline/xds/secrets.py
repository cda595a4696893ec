"""Certificates, and what those of clients are checked with, as Envoy's secrets.

Envoy asks for a certificate by name: by the certificate's own for a filter chain that names it, by the server name of
the handshake, letter for letter, for one on demand. What is kept is the secret without its name, so that a
certificate that a thousand hosts share is kept once; the name that was asked for is written when it is sent.
"""

from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2

from isoline.routing import ir
from isoline.xds import types
from isoline.xds.messages import serialized
from isoline.xds.resources import Resource, resource


def body(certificate: ir.Certificate) -> ir.PrivateBytes:
    """The nameless secret: keep it to pass it on for every host that shares the certificate. Never printed."""
    message = secret_pb2.Secret()
    message.tls_certificate.certificate_chain.inline_bytes = certificate.chain
    message.tls_certificate.private_key.inline_bytes = bytes(certificate.key)
    return ir.PrivateBytes(serialized(message))


def validation(clients: ir.ClientCertificates) -> bytes:
    """The nameless secret that says which certificates of clients are good."""
    message = secret_pb2.Secret()
    context = message.validation_context
    if clients.authorities:
        context.trusted_ca.inline_bytes = clients.authorities
    if clients.revocations:
        context.crl.inline_bytes = clients.revocations
        context.only_verify_leaf_cert_crl = clients.only_leaf_revocation
    if not clients.verify:
        context.trust_chain_verification = common_pb2.CertificateValidationContext.ACCEPT_UNTRUSTED
    return serialized(message)


def secret(name: str, nameless: bytes) -> Resource:
    """The resource that answers to `name`, a host in lower case or a certificate's name."""
    return resource(types.SECRET, name, nameless)


def canonical(name: str) -> str:
    """The name under which a secret is kept: server names ignore case, and names of Kubernetes are lower case."""
    return name.lower()


def named(nameless: bytes, name: str) -> bytes:
    """The secret with the name that Envoy asked for. Fields of one message may simply follow one another."""
    return serialized(secret_pb2.Secret(name=name)) + nameless
