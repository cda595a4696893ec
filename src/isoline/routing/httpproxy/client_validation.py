"""virtualhost.tls.clientValidation: client certificates."""

from typing import NamedTuple

from isoline.objects import Secret
from isoline.objects.httpproxy import DownstreamValidation, ForwardClientCertificate
from isoline.routing import ir, secret_wording
from isoline.routing.authorities import BUNDLE, authorities_of, revocations_of
from isoline.routing.certificates import find_secret
from isoline.routing.httpproxy.delegation import is_delegated
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.view import View


class _Found(NamedTuple):
    """What a Secret gives, and its name."""

    secret: str
    pem: bytes


_NONE = _Found("-", b"")


def compile_clients(
    validation: DownstreamValidation | None, namespace: str, view: View, scope: Scope
) -> ir.ClientCertificates | None:
    """Return whom clients must prove to be, None if nobody asks.

    Raises Fault once everything is reported that is in the way: a host that lets anybody in is not what was asked for.
    """
    if validation is None:
        return None
    scope = scope.at("clientValidation")
    faults: list[Fault] = []
    authorities = revocations = _NONE
    try:
        authorities = _authorities(validation, namespace, view, scope)
    except Fault as fault:
        faults.append(fault)
    try:
        revocations = _revocations(validation, namespace, view, scope)
    except Fault as fault:
        faults.append(fault)
    if faults:
        scope.report.errors.update((found.finding, None) for found in faults)
        raise faults[-1]
    if revocations.pem and not authorities.pem:
        scope.at("crlSecret").warn("TLSError", "without caSecret no certificate is looked up in the lists")
        revocations = _NONE
    return ir.ClientCertificates(
        name=f"{authorities.secret} {revocations.secret}",
        authorities=authorities.pem,
        revocations=revocations.pem,
        only_leaf_revocation=bool(revocations.pem) and validation.crl_only_verify_leaf_cert,
        verify=not validation.skip_client_cert_validation,
        optional=validation.optional_client_certificate,
        forward=_forward(validation.forward_client_certificate),
    )


def _authorities(validation: DownstreamValidation, namespace: str, view: View, scope: Scope) -> _Found:
    scope = scope.at("caSecret")
    if not validation.ca_secret.strip():
        if validation.skip_client_cert_validation:
            return _NONE
        raise _invalid(scope, "CA Secret must be specified", "CA Secret must be specified")
    name, stored = _secret("CA", validation.ca_secret, namespace, view, scope)
    found = authorities_of(stored)
    if isinstance(found, str):
        raise _unusable("CA", name, found, secret_wording.about_authorities(stored), scope)
    if found.broken:
        text = f'{found.broken} certificates of {BUNDLE} in Secret "{name}" cannot be read; the others count'
        scope.warn("TLSError", text)
    return _Found(name, found.pem)


def _revocations(validation: DownstreamValidation, namespace: str, view: View, scope: Scope) -> _Found:
    scope = scope.at("crlSecret")
    if not validation.crl_secret.strip():
        return _NONE
    name, stored = _secret("CRL", validation.crl_secret, namespace, view, scope)
    found = revocations_of(stored)
    if isinstance(found, str):
        raise _unusable("CRL", name, found, secret_wording.about_revocations(stored), scope)
    return _Found(name, found.pem)


def _secret(what: str, reference: str, namespace: str, view: View, scope: Scope) -> tuple[str, Secret | None]:
    """The name of the Secret that is meant, and the Secret; raises Fault where it is not lent."""
    name = _delegated_name(reference, namespace, view)
    if name is None:
        raise _not_delegated(scope, f'{what} Secret "{reference}"', namespace)
    return name, find_secret(name, view)


def _unusable(what: str, name: str, problem: str, said: str, scope: Scope) -> Fault:
    invalid = f'invalid {what} Secret "{name}": '
    return _invalid(scope, f"{invalid}{problem}", f"{invalid}{said}" if said else "")


def _delegated_name(reference: str, namespace: str, view: View) -> str | None:
    owner, _, secret = reference.rpartition("/")
    owner = owner or namespace
    return f"{owner}/{secret}" if is_delegated(owner, secret, to=namespace, view=view) else None


def _forward(wanted: ForwardClientCertificate | None) -> ir.ForwardedCertificate | None:
    if wanted is None:
        return None
    return ir.ForwardedCertificate(
        subject=wanted.subject, certificate=wanted.cert, chain=wanted.chain, dns=wanted.dns, uri=wanted.uri
    )


def _not_delegated(scope: Scope, secret: str, namespace: str) -> Fault:
    text = f'certificate delegation of {secret} to the namespace "{namespace}" not permitted'
    words = f"Spec.VirtualHost.TLS {secret} is invalid: certificate delegation not permitted"
    return scope.fault("TLSError", "DelegationNotPermitted", text, words=words)


def _invalid(scope: Scope, text: str, words: str) -> Fault:
    said = f"Spec.VirtualHost.TLS client validation is invalid: {words}" if words else ""
    return scope.fault("TLSError", "ClientValidationInvalid", f"client validation is invalid: {text}", words=said)
