"""Conditions keep the time at which they last turned."""

from isoline.controllers.clock import seconds_of, timestamp
from isoline.controllers.conditions import Finding, conditions

NOON, ONE = 1_700_000_000.0, 1_700_003_600.0


def test_the_time_changes_only_when_the_status_does() -> None:
    (first,) = conditions([Finding("Ready", False, "Starting", "0 of 1")], (), now=NOON, generation=1)
    (same,) = conditions([Finding("Ready", False, "Starting", "0 of 2")], [first], now=ONE, generation=2)
    (turned,) = conditions([Finding("Ready", True, "Done", "")], [same], now=ONE, generation=2)

    assert (same.last_transition_time, same.message, same.observed_generation) == (timestamp(NOON), "0 of 2", 2)
    assert turned.last_transition_time == timestamp(ONE)


def test_what_is_not_known_is_unknown() -> None:
    (found,) = conditions([Finding("Published", None, "Waiting", "")], (), now=NOON, generation=1)

    assert found.status == "Unknown"


def test_a_timestamp_is_rfc_3339_and_leads_back_to_the_second() -> None:
    assert timestamp(NOON) == "2023-11-14T22:13:20Z"
    assert seconds_of(timestamp(NOON)) == NOON
