"""virtualhost.tls.enableFallbackCertificate: the certificate of clients that name no known host in the handshake."""

from isoline.objects.httpproxy import TLS, VirtualHost
from isoline.routing import secret_wording, wording
from isoline.routing.certificates import find_secret, secret_problem
from isoline.routing.httpproxy.delegation import is_delegated
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.view import View


def check_guards(root: VirtualHost, scope: Scope) -> None:
    """Report what guards the host and would be passed by on the fallback certificate."""
    if root.tls is None or not root.tls.enable_fallback_certificate:
        return
    asks = root.authorization is not None and bool(root.authorization.extension_ref.name)
    guards = (
        ("clientValidation", "client validation", root.tls.client_validation is not None),
        ("authorization", "client authorization", asks),
        ("jwtProviders", "JWT providers", bool(root.jwt_providers)),
    )
    for guard, name, used in guards:
        if used:
            text = f"enableFallbackCertificate and {guard} exclude each other"
            words = f"Spec.Virtualhost.TLS fallback & {name} are incompatible"
            scope.at("tls").error("TLSError", "TLSIncompatibleFeatures", text, words=words)


def compile_fallback(tls: TLS, namespace: str, view: View, scope: Scope) -> str:
    """Return the name of the fallback certificate, empty if the host does without. Raises Fault where there is none."""
    if not tls.enable_fallback_certificate:
        return ""
    scope = scope.at("tls.enableFallbackCertificate")
    name = view.settings.fallback_certificate
    if not name:
        text = "the GatewayConfig names no fallback certificate (spec.tls.fallbackCertificate)"
        missing = "fallback Certificate Secret is not configured in Contour configuration file"
        words = f"Spec.Virtualhost.TLS enabled fallback but the {missing}"
        raise scope.fault("TLSError", "FallbackNotPresent", text, words=words)
    owner, _, secret = name.partition("/")
    if not is_delegated(owner, secret, to=namespace, view=view):
        text = f'fallback Secret "{name}" is not delegated to the namespace "{namespace}"'
        words = wording.not_delegated("Spec.VirtualHost.TLS", name)
        raise scope.fault("TLSError", "FallbackNotDelegated", text, words=words)
    found = find_secret(name, view)
    problem = "Secret not found" if found is None else secret_problem(found)
    if problem and (end := view.kept_until(name)):
        kept = f"its last good certificate serves until it ends on {end:%Y-%m-%d at %H:%M} UTC"
        scope.warn("TLSError", f'fallback Secret "{name}" is invalid: {problem}; {kept}')
    elif problem:
        said = secret_wording.about_certificate(found)
        words = f'Spec.Virtualhost.TLS Secret "{name}" fallback certificate is invalid: {said}' if said else ""
        text = f'fallback Secret "{name}" is invalid: {problem}'
        raise scope.fault("TLSError", "FallbackNotValid", text, words=words)
    return name


def gateway_fallback(view: View) -> str:
    """Return the name of the gateway's fallback certificate, empty without one that can be served."""
    name = view.settings.fallback_certificate
    found = find_secret(name, view) if name else None
    usable = (found is not None and not secret_problem(found)) or (bool(name) and view.kept_until(name) is not None)
    return name if usable else ""


def is_lent(name: str, namespace: str, view: View) -> bool:
    """Whether objects of a namespace may be served with the fallback certificate of this name."""
    owner, _, secret = name.partition("/")
    return is_delegated(owner, secret, to=namespace, view=view)
