"""directResponsePolicy."""

from isoline.objects.httpproxy import HTTPDirectResponsePolicy
from isoline.routing import ir
from isoline.routing.httpproxy.scope import Scope

# Envoy's limit on the body of a direct response.
MAXIMUM_BODY = 4096


def compile_response(policy: HTTPDirectResponsePolicy, scope: Scope) -> ir.Respond:
    """Return the fixed answer. Raises Fault for a status outside 200–599 and for a body over 4096 bytes."""
    scope = scope.at("directResponsePolicy")
    if not 200 <= policy.status_code <= 599:
        text = f"{policy.status_code} is outside 200–599"
        raise scope.at("statusCode").fault("RouteError", "DirectResponsePolicyNotValid", text)
    size = len(policy.body.encode())
    if size > MAXIMUM_BODY:
        text = f"at most {MAXIMUM_BODY} bytes are possible, found {size}"
        raise scope.at("body").fault("RouteError", "DirectResponsePolicyNotValid", text)
    return ir.Respond(status=policy.status_code, body=policy.body)
