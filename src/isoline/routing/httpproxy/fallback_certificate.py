"""virtualhost.tls.enableFallbackCertificate: the certificate of clients that name no known host in the handshake."""

from isoline.objects.httpproxy import TLS, VirtualHost
from isoline.routing.certificates import find_secret, secret_problem
from isoline.routing.httpproxy.delegation import is_delegated
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.view import View


def check_guards(root: VirtualHost, scope: Scope) -> None:
    """Report what guards the host and would be passed by on the fallback certificate."""
    if root.tls is None or not root.tls.enable_fallback_certificate:
        return
    guards = {
        "clientValidation": root.tls.client_validation is not None,
        "authorization": root.authorization is not None and bool(root.authorization.extension_ref.name),
        "jwtProviders": bool(root.jwt_providers),
    }
    for guard, used in guards.items():
        if used:
            text = f"enableFallbackCertificate and {guard} exclude each other"
            scope.at("tls").error("TLSError", "TLSIncompatibleFeatures", text)


def compile_fallback(tls: TLS, namespace: str, view: View, scope: Scope) -> str:
    """Return the name of the fallback certificate, empty if the host does without. Raises Fault where there is none."""
    if not tls.enable_fallback_certificate:
        return ""
    scope = scope.at("tls.enableFallbackCertificate")
    name = view.settings.fallback_certificate
    if not name:
        text = "the GatewayConfig names no fallback certificate (spec.tls.fallbackCertificate)"
        raise scope.fault("TLSError", "FallbackNotPresent", text)
    owner, _, secret = name.partition("/")
    if not is_delegated(owner, secret, to=namespace, view=view):
        text = f'fallback Secret "{name}" is not delegated to the namespace "{namespace}"'
        raise scope.fault("TLSError", "FallbackNotDelegated", text)
    found = find_secret(name, view)
    problem = "Secret not found" if found is None else secret_problem(found)
    if problem and view.keeps(name):
        scope.warn("TLSError", f'fallback Secret "{name}" is invalid: {problem}; its last good certificate serves on')
    elif problem:
        raise scope.fault("TLSError", "FallbackNotValid", f'fallback Secret "{name}" is invalid: {problem}')
    return name


def gateway_fallback(view: View) -> str:
    """Return the name of the gateway's fallback certificate, empty without one that can be served."""
    name = view.settings.fallback_certificate
    found = find_secret(name, view) if name else None
    usable = (found is not None and not secret_problem(found)) or (bool(name) and view.keeps(name))
    return name if usable else ""


def is_lent(name: str, namespace: str, view: View) -> bool:
    """Whether objects of a namespace may be served with the fallback certificate of this name."""
    owner, _, secret = name.partition("/")
    return is_delegated(owner, secret, to=namespace, view=view)
