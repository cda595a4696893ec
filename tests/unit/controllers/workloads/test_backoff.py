"""When a container that ended is started again."""

from isoline.controllers.workloads.backoff import RestartBackoff


def test_the_first_restart_is_at_once_and_then_it_doubles_from_ten_seconds_to_five_minutes() -> None:
    backoff = RestartBackoff()

    assert [backoff.delay(ran_for=1) for _ in range(9)] == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_ten_minutes_of_running_are_forgiving() -> None:
    backoff = RestartBackoff()
    for _ in range(5):
        backoff.delay(ran_for=1)

    assert backoff.delay(ran_for=600) == 0
    assert backoff.delay(ran_for=599) == 10


def test_weeks_of_failures_do_no_harm() -> None:
    assert RestartBackoff(failures=10**6).delay(ran_for=0) == 300
