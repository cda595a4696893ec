"""services[].validation: the CA and the names that an upstream's certificate must have."""

from typing import NamedTuple

from isoline.objects.httpproxy import UpstreamValidation
from isoline.routing import ir, secret_wording, wording
from isoline.routing.authorities import BUNDLE, authorities_of
from isoline.routing.certificates import find_secret
from isoline.routing.httpproxy.delegation import is_delegated
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.view import View

ENDS_TLS = frozenset({ir.Upstream.H2, ir.Upstream.TLS, ir.Upstream.TCP_TLS})
_MOST_NAMES = 8
_LONGEST_NAME = 250


class Words(NamedTuple):
    """How Contour calls a validation: before what is wrong with it, and as the field of the CA."""

    invalid: str
    authority: str = "service.UpstreamValidation.CACertificate"


def compile_validation(
    validation: UpstreamValidation | None,
    protocol: ir.Upstream,
    namespace: str,
    view: View,
    scope: Scope,
    *,
    words: Words,
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
    names = _names(validation, scope, words)
    authorities = _authorities(validation.ca_secret, namespace, view, scope.at("caSecret"), words)
    return ir.Trust(authorities=authorities, names=names)


def _names(validation: UpstreamValidation, scope: Scope, words: Words) -> tuple[str, ...]:
    names = validation.subject_names or (validation.subject_name,)
    if not validation.subject_name:
        said = f"{words.invalid}: missing subject alternative name"
        raise _fault(scope.at("subjectName"), "the name that the certificate must have is missing", said)
    if names[0] != validation.subject_name:
        text = f'"{names[0]}" must be subjectName, "{validation.subject_name}"'
        mismatch = f"first entry of SubjectNames ({names[0]}) does not match SubjectName ({validation.subject_name})"
        raise _fault(scope.at("subjectNames[0]"), text, f"{words.invalid}: {mismatch}")
    if len(names) > _MOST_NAMES:
        raise _fault(scope.at("subjectNames"), f"at most {_MOST_NAMES} names are possible, found {len(names)}")
    for name in names:
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
            raise _fault(scope.at("subjectNames"), f"{name!r} is no name of 1 to {_LONGEST_NAME} characters")
    return tuple(dict.fromkeys(names))


def _authorities(reference: str, namespace: str, view: View, scope: Scope, words: Words) -> bytes:
    owner, _, secret = reference.rpartition("/")
    owner = owner or namespace
    if not is_delegated(owner, secret, to=namespace, view=view):
        text = f'certificate delegation of Secret "{owner}/{secret}" to the namespace "{namespace}" not permitted'
        said = wording.not_delegated(words.authority, f"{owner}/{secret}")
        raise scope.fault("TLSError", "CACertificateNotDelegated", text, words=said)
    stored = find_secret(f"{owner}/{secret}", view)
    found = authorities_of(stored)
    if isinstance(found, str):
        invalid = f'invalid CA Secret "{owner}/{secret}": '
        problem = secret_wording.about_authorities(stored)
        said = f"{words.invalid}: {invalid}{problem}" if problem else ""
        raise _fault(scope, f"{invalid}{found}", said)
    if found.broken:
        text = f'{found.broken} certificates of {BUNDLE} in Secret "{owner}/{secret}" cannot be read; the others count'
        scope.warn("ServiceError", text)
    return found.pem


def _fault(scope: Scope, text: str, words: str = "") -> Fault:
    return scope.fault("ServiceError", "TLSUpstreamValidation", text, words=words)
