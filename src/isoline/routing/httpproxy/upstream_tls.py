"""services[].validation: the CA and the names that an upstream's certificate must have."""

from isoline.objects.httpproxy import UpstreamValidation
from isoline.routing import ir
from isoline.routing.authorities import BUNDLE, authorities_of
from isoline.routing.certificates import find_secret
from isoline.routing.httpproxy.delegation import is_delegated
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.view import View

ENDS_TLS = frozenset({ir.Upstream.H2, ir.Upstream.TLS, ir.Upstream.TCP_TLS})
_MOST_NAMES = 8
_LONGEST_NAME = 250


def compile_validation(
    validation: UpstreamValidation | None, protocol: ir.Upstream, namespace: str, view: View, scope: Scope
) -> ir.Trust | None:
    """Return whom an upstream must prove to be, None if nobody asks or it speaks no TLS.

    Raises Fault when that cannot be told: an upstream that nobody checks is not what was asked for.
    """
    if validation is None:
        return None
    scope = scope.at("validation")
    if protocol not in ENDS_TLS:
        scope.warn("ServiceError", f"the protocol must be tls or h2, found {protocol.value}; nothing is validated")
        return None
    names = _names(validation, scope)
    return ir.Trust(authorities=_authorities(validation.ca_secret, namespace, view, scope.at("caSecret")), names=names)


def _names(validation: UpstreamValidation, scope: Scope) -> tuple[str, ...]:
    names = validation.subject_names or (validation.subject_name,)
    if not validation.subject_name:
        raise _fault(scope.at("subjectName"), "the name that the certificate must have is missing")
    if names[0] != validation.subject_name:
        raise _fault(scope.at("subjectNames[0]"), f'"{names[0]}" must be subjectName, "{validation.subject_name}"')
    if len(names) > _MOST_NAMES:
        raise _fault(scope.at("subjectNames"), f"at most {_MOST_NAMES} names are possible, found {len(names)}")
    for name in names:
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
            raise _fault(scope.at("subjectNames"), f"{name!r} is no name of 1 to {_LONGEST_NAME} characters")
    return tuple(dict.fromkeys(names))


def _authorities(reference: str, namespace: str, view: View, scope: Scope) -> bytes:
    owner, _, secret = reference.rpartition("/")
    owner = owner or namespace
    if not is_delegated(owner, secret, to=namespace, view=view):
        text = f'certificate delegation of Secret "{owner}/{secret}" to the namespace "{namespace}" not permitted'
        raise scope.fault("TLSError", "CACertificateNotDelegated", text)
    found = authorities_of(find_secret(f"{owner}/{secret}", view))
    if isinstance(found, str):
        raise _fault(scope, f'invalid CA Secret "{owner}/{secret}": {found}')
    if found.broken:
        text = f'{found.broken} certificates of {BUNDLE} in Secret "{owner}/{secret}" cannot be read; the others count'
        scope.warn("ServiceError", text)
    return found.pem


def _fault(scope: Scope, text: str) -> Fault:
    return scope.fault("ServiceError", "TLSUpstreamValidation", text)
