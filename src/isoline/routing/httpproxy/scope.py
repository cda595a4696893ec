"""Where in an object the compiler stands, and how it says what it finds there."""

from typing import NamedTuple

from isoline.routing.statuses import VALID, ErrorType, Finding, ProxyStatus

WARNING_REASON = "IgnoredField"


class Fault(Exception):  # noqa: N818 - not an error of ours but the user's, and always caught where the route is left out
    """The part being compiled cannot be served."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class Report:
    """All that one compile finds about one object, in the order found."""

    __slots__ = ("errors", "warnings")

    def __init__(self) -> None:
        self.errors: dict[Finding, None] = {}
        self.warnings: dict[Finding, None] = {}

    def status(self) -> ProxyStatus:
        if not self.errors and not self.warnings:
            return VALID
        return ProxyStatus(tuple(self.errors), tuple(self.warnings))


class Scope(NamedTuple):
    """A field of an object: `spec.routes[2].services[0]`."""

    report: Report
    path: str

    def at(self, field: str) -> "Scope":
        return Scope(self.report, f"{self.path}.{field}")

    def fault(self, kind: ErrorType, reason: str, text: str, *, words: str = "") -> Fault:
        """Return the exception that takes the part out, once it is raised. `words` is what Contour says of it."""
        return Fault(self._finding(kind, reason, text, words))

    def error(self, kind: ErrorType, reason: str, text: str, *, words: str = "") -> None:
        """Report an error and go on."""
        self.report.errors[self._finding(kind, reason, text, words)] = None

    def warn(self, kind: ErrorType, text: str, *, words: str = "") -> None:
        """Report something that is ignored, or not as its writer meant it. It leaves the object valid."""
        self.report.warnings[self._finding(kind, WARNING_REASON, text, words)] = None

    def _finding(self, kind: ErrorType, reason: str, text: str, words: str) -> Finding:
        return Finding(kind, reason, f"{self.path}: {text}", words)
