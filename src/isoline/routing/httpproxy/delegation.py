"""TLSCertificateDelegation: leave to use another namespace's Secret."""

from isoline.objects import TLSCertificateDelegation
from isoline.routing.indexes import DELEGATIONS
from isoline.routing.view import View

EVERYWHERE = "*"


def is_delegated(namespace: str, secret: str, *, to: str, view: View) -> bool:
    """Return whether the namespace `to` may use a Secret: its own always, others' by a delegation.

    A `*` counts wherever it stands among the target namespaces.
    """
    if namespace == to:
        return True
    for key in view.find(DELEGATIONS, f"{namespace}/{secret}"):
        item = view.get(key)
        if isinstance(item, TLSCertificateDelegation):
            for delegation in item.spec.delegations:
                targets = delegation.target_namespaces
                if delegation.secret_name == secret and (to in targets or EVERYWHERE in targets):
                    return True
    return False
