"""Quantities as Kubernetes writes them and durations as Go does."""

import pytest

from isoline.objects import parse_go_duration, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("2", 2),
        ("0.1", 0.1),
        (".5", 0.5),
        ("16Gi", 16 * 2**30),
        ("1Ki", 1024),
        ("1k", 1000),
        ("128e6", 128e6),
        ("1E", 1e18),
        ("1E3", 1000),
        ("1Ei", 2**60),
        ("250u", 0.00025),
        ("-1", -1),
        (4, 4),
        (0.5, 0.5),
    ],
)
def test_a_quantity_is_its_number(text: str | float, number: float) -> None:
    assert parse_quantity(text) == pytest.approx(number)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("16GB", '"16G"'),
        ("16gib", '"16Gi"'),
        ("5 Gi", '"5Gi"'),
        ("4K", '"4k"'),
        ("", "500m"),
        ("much", "16Gi"),
        ("1.2.3", "2"),
    ],
)
def test_a_wrong_quantity_is_told_what_to_write(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match="is no quantity") as raised:
        parse_quantity(text)
    assert cure in str(raised.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("30s", 30),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("100us", 1e-4),
        ("100µs", 1e-4),
        ("7ns", 7e-9),
        ("-2m", -120),
        ("+2m", 120),
        ("1m1m", 120),
    ],
)
def test_a_duration_is_its_seconds(text: str, seconds: float) -> None:
    assert parse_go_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5", 'write "5s" for seconds'),
        ("", "is no duration"),
        ("s", "is no duration"),
        (".ms", "is no duration"),
        ("5 s", "is no duration"),
        ("1d", "units ns, us, ms, s, m or h"),
        ("infinity", "is no duration"),
        ("-", "is no duration"),
        ("9999999h", "292 years"),
    ],
)
def test_a_wrong_duration_is_told_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_go_duration(text)
