"""What becomes of an object's status: the errors and warnings found while compiling, in Contour's words.

The words (types, reasons, the two messages of the condition `Valid`, the orphan's text) are an interface: users' tools
look for them. Timestamps and versions are the status writer's business.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from isoline.objects.httpproxy import DetailedCondition, SubCondition

ErrorType = Literal[
    "Accepted",
    "AuthError",
    "CORSError",
    "Conflicted",
    "IPFilterError",
    "IncludeError",
    "JWTVerificationError",
    "Orphaned",
    "Overridden",
    "PrefixReplaceError",
    "ResolvedRefs",
    "RootNamespaceError",
    "RouteError",
    "ServiceError",
    "SpecError",
    "TCPProxyError",
    "TCPProxyIncludeError",
    "TLSError",
    "VirtualHostError",
]


class Finding(NamedTuple):
    """One error or warning."""

    type: ErrorType
    reason: str
    message: str
    """With the field's path and what to do; for logs, events and `isoline check`."""
    words: str = ""
    """Contour's sentence for this fault, which the status shows; empty where Contour has none, then `message` does."""


class ProxyStatus(msgspec.Struct, frozen=True, gc=False):
    """What is to be said of an HTTPProxy, or an object with the same conditions. Equal values need no second write."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def current_status(self) -> Literal["valid", "invalid", "orphaned"]:
        if not self.errors:
            return "valid"
        return "orphaned" if all(error.type == "Orphaned" for error in self.errors) else "invalid"

    @property
    def description(self) -> str:
        """The sentence of `status.description`."""
        if self.current_status == "orphaned":
            return self.errors[0].words or self.errors[0].message
        return "At least one error present, see Errors for details" if self.errors else "Valid HTTPProxy"

    def condition(self, kind: str = "HTTPProxy") -> DetailedCondition:
        """Return the condition `Valid` of an object of that kind, without its time and generation."""
        return DetailedCondition(
            type="Valid",
            status="False" if self.errors else "True",
            reason="ErrorPresent" if self.errors else "Valid",
            message="At least one error present, see Errors for details" if self.errors else f"Valid {kind}",
            errors=tuple(_sub_condition(error) for error in self.errors),
            warnings=tuple(_sub_condition(warning) for warning in self.warnings),
        )


def _sub_condition(finding: Finding) -> SubCondition:
    message = finding.words or finding.message
    return SubCondition(type=finding.type, status="True", reason=finding.reason, message=message)


VALID = ProxyStatus()
ORPHANED = ProxyStatus(
    errors=(Finding("Orphaned", "Orphaned", "this HTTPProxy is not part of a delegation chain from a root HTTPProxy"),)
)


def merge(statuses: Iterable[ProxyStatus]) -> ProxyStatus:
    """Return all that several compiles found about one object, in the order given, each finding once."""
    several = list(statuses)
    if len(several) == 1:
        return several[0]
    errors = tuple(dict.fromkeys(error for status in several for error in status.errors))
    warnings = tuple(dict.fromkeys(warning for status in several for warning in status.warnings))
    return ProxyStatus(errors, warnings) if errors or warnings else VALID
