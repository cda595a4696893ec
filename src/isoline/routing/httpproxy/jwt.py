"""virtualhost.jwtProviders and the jwtVerificationPolicy of routes."""

from isoline.objects.httpproxy import JWTVerificationPolicy
from isoline.routing.httpproxy.scope import Scope
from isoline.routing.httpproxy.unsupported import Unsupported

HOST = (Unsupported("jwtProviders", "JWTVerificationError", lambda host: host.jwt_providers),)


def is_refused(policy: JWTVerificationPolicy | None, scope: Scope, root: Scope, *, ends_tls: bool) -> bool:
    """Report what a route demands that its host cannot give; return whether the route must stay closed.

    No served host has providers yet, so any provider is an unknown one: the root's error. A plain host never verifies
    tokens (Contour's rule), which deserves a warning.
    """
    if policy is None or not policy.require:
        return False
    scope = scope.at("jwtVerificationPolicy")
    if policy.disabled:
        scope.error("JWTVerificationError", "InvalidJWTVerificationPolicy", "require and disabled exclude each other")
        return True
    if not ends_tls:
        scope.at("require").warn("JWTVerificationError", "tokens are verified only on hosts that end TLS")
        return False
    text = f'{scope.path}.require names the JWT provider "{policy.require}", which is not defined here'
    root.at("virtualhost.jwtProviders").error("JWTVerificationError", "JWTProviderNotDefined", text)
    return True
