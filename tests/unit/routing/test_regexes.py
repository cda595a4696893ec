"""Expressions are judged as Envoy judges them."""

from collections.abc import Iterator

import pytest

from isoline.routing import regexes


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    regexes.problem.cache_clear()
    yield
    regexes.problem.cache_clear()


@pytest.mark.parametrize("pattern", ["/a", "/(a|b)+", "(?i)x", r"\pL+", "/" + "(a|b)" * 200])
def test_good(pattern: str) -> None:
    assert regexes.problem(pattern) is None


@pytest.mark.parametrize("pattern", ["(", "[", "a{1001}", r"(a)\1", "(?=a)", "(a{1000}){1000}"])
def test_what_re2_refuses_is_said_with_its_words(pattern: str) -> None:
    problem = regexes.problem(pattern)
    assert problem is not None
    assert "is no RE2 expression: " in problem


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "MAXIMUM_PROGRAM_SIZE", 10)
    problem = regexes.problem("/" + "(a|b)" * 10)
    assert problem is not None
    assert "more than the 10" in problem


@pytest.mark.parametrize("text", ["/v1.0/x", "/a+b", "/é", "/(x)"])
def test_quoted_text_matches_itself_only(text: str) -> None:
    assert regexes.problem(regexes.quote(text)) is None
    assert regexes.quote(text).replace("\\", "") == text
