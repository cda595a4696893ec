"""virtualhost.tls: which certificate a host ends TLS with, in which versions, and whether that needs a filter chain."""

from collections.abc import Iterator

from isoline.objects.httpproxy import TLS
from isoline.routing import ir, secret_wording
from isoline.routing.certificates import end_of, find_secret, secret_problem
from isoline.routing.httpproxy.delegation import is_delegated
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.indexes import WILDCARD_TLS, wildcard_tls
from isoline.routing.view import View

_VERSIONS = {"1.2": ir.TlsVersion.V1_2, "1.3": ir.TlsVersion.V1_3}


def compile_tls(tls: TLS, namespace: str, view: View, scope: Scope) -> ir.Tls:
    """Return how the host ends TLS. Raises Fault when it cannot: then nothing of the host is served."""
    scope = scope.at("tls")
    if not tls.secret_name.strip():
        text = "either secretName or passthrough must be set"
        words = "Spec.VirtualHost.TLS: neither Passthrough nor SecretName were specified"
        raise scope.fault("TLSError", "TLSConfigNotValid", text, words=words)
    certificate = _certificate(tls.secret_name, namespace, view, scope.at("secretName"))
    minimum = _version(tls.minimum_protocol_version, scope, "minimumProtocolVersion")
    maximum = _version(tls.maximum_protocol_version, scope, "maximumProtocolVersion")
    lowest, highest = minimum or view.settings.tls_minimum, maximum or view.settings.tls_maximum
    if highest.value < lowest.value:
        text = f"the minimum version {lowest.value} is above the maximum version {highest.value}"
        words = "Spec.Virtualhost.TLS the minimum protocol version is greater than the maximum protocol version"
        raise scope.fault("TLSError", "TLSConfigNotValid", text, words=words)
    return ir.Tls(certificate=certificate, minimum=minimum, maximum=maximum)


def needs_own_chain(host: str, tls: TLS, compiled: ir.Tls, view: View) -> bool:
    """Return whether a host cannot use the chain that all others share.

    That is so for a wildcard, for client certificates, for versions unlike the gateway's, and for an exact host that a
    wildcard's chain would catch with other parameters. Any HTTPProxy that claims the wildcard counts, served or not: a
    chain too many does no harm, and so an exact host depends on nothing of the wildcard's but its TLS.
    """
    settings = view.settings
    if host.startswith("*.") or tls.client_validation is not None:
        return True
    versions = (compiled.minimum or settings.tls_minimum, compiled.maximum or settings.tls_maximum)
    if versions != (settings.tls_minimum, settings.tls_maximum):
        return True
    return any(_catches_otherwise(wildcard, tls, compiled, view) for wildcard in _wildcards_above(host))


def _wildcards_above(host: str) -> Iterator[str]:
    """Every wildcard whose chain would take the host: server names of a chain match any number of labels."""
    _, dot, parent = host.partition(".")
    while dot:
        yield f"*.{parent}"
        _, dot, parent = parent.partition(".")


def _catches_otherwise(wildcard: str, tls: TLS, compiled: ir.Tls, view: View) -> bool:
    claims = view.find(WILDCARD_TLS, wildcard)
    if not claims:
        return False
    same = wildcard_tls(wildcard, compiled.certificate, tls.minimum_protocol_version, tls.maximum_protocol_version)
    return len(view.find(WILDCARD_TLS, same)) != len(claims)


def _certificate(reference: str, namespace: str, view: View, scope: Scope) -> str:
    owner, _, secret = reference.rpartition("/")
    owner = owner or namespace
    if not is_delegated(owner, secret, to=namespace, view=view):
        text = f'certificate delegation of Secret "{owner}/{secret}" to the namespace "{namespace}" not permitted'
        words = f'Spec.VirtualHost.TLS Secret "{reference}" certificate delegation not permitted'
        raise scope.fault("TLSError", "DelegationNotPermitted", text, words=words)
    name = f"{owner}/{secret}"
    found = find_secret(name, view)
    awaited = "; the local CA is about to issue it" if view.settings.self_signed and owner == namespace else ""
    if found is None and awaited and view.settings.foreseen:
        return name
    problem = f"Secret not found{awaited}" if found is None else secret_problem(found)
    if problem and (end := view.kept_until(name)):
        kept = f"its last good certificate serves until it ends on {end:%Y-%m-%d at %H:%M} UTC"
        scope.warn("TLSError", f'Secret "{name}" is invalid: {problem}; {kept}')
    elif problem:
        said = "" if awaited and found is None else secret_wording.about_certificate(found)
        words = f'Spec.VirtualHost.TLS Secret "{reference}" is invalid: {said}' if said else ""
        raise scope.fault("TLSError", "SecretNotValid", f'Secret "{name}" is invalid: {problem}', words=words)
    elif found is not None and (end := end_of(found)).timestamp() <= view.clock():
        scope.warn("TLSError", f'the certificate of Secret "{name}" ended on {end:%Y-%m-%d}; most clients refuse it')
    return name


def _version(text: str, scope: Scope, field: str) -> ir.TlsVersion | None:
    version = _VERSIONS.get(text)
    if version is None and text:
        scope.at(field).warn("TLSError", f'"{text}" is none of {", ".join(_VERSIONS)}; the default holds')
    return version
