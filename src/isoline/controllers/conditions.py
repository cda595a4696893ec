"""Conditions of a status: what is found now, with the time at which it last turned. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from isoline.controllers.clock import timestamp
from isoline.objects.meta import Condition


class Finding(NamedTuple):
    """A condition as it is found, before it is compared with the one of the last status. `status` None is Unknown."""

    type: str
    status: bool | None
    reason: str
    message: str

    @property
    def word(self) -> str:
        """The status as a condition writes it."""
        return {True: "True", False: "False", None: "Unknown"}[self.status]


def conditions(
    findings: Iterable[Finding], before: Sequence[Condition], *, now: float, generation: int
) -> tuple[Condition, ...]:
    """Return conditions in the order of the findings; one that has not turned keeps the time at which it did."""
    known = {condition.type: condition for condition in before}
    return tuple(_condition(finding, known.get(finding.type), now, generation) for finding in findings)


def _condition(finding: Finding, before: Condition | None, now: float, generation: int) -> Condition:
    turned = before is None or before.status != finding.word
    return Condition(
        type=finding.type,
        status=finding.word,
        reason=finding.reason,
        message=finding.message,
        observed_generation=generation,
        last_transition_time=timestamp(now) if turned or before is None else before.last_transition_time,
    )
