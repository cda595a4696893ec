"""docs/contour.md has every field of Contour's objects, and each of its rows names tests that there are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from isoline.objects.meta import ObjectMeta
from isoline.objects.registry import BY_API
from isoline.objects.shapes import Mapping, Record, Sequence, Shape, record_shape

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/contour.md").read_text()
KINDS = {
    "HTTPProxy": "projectcontour.io/v1",
    "TLSCertificateDelegation": "projectcontour.io/v1",
    "ExtensionService": "projectcontour.io/v1alpha1",
}


def section(title: str) -> str:
    _, _, rest = PAGE.partition(f"{title}\n")
    return re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def leaves(shape: Shape, path: str) -> Iterator[str]:
    match shape:
        case Record() if shape.type is ObjectMeta:
            return
        case Record() if shape.fields:
            for name, field in shape.fields.items():
                yield from leaves(field.shape, f"{path}.{name}".removeprefix("."))
        case Sequence():
            yield from leaves(shape.item, path)
        case Mapping() | _:
            yield path


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_is_missing_and_none_is_made_up(kind: str) -> None:
    told = [
        f"{place}.{field}".removeprefix(".")
        for row in rows(f"### {kind}")
        for place in re.findall(r"`([^`]+)`", row[0]) or [""]
        for field in re.findall(r"`([^`]+)`", row[1])
    ]
    spec = record_shape(BY_API[KINDS[kind], kind].type).fields["spec"].shape
    assert sorted(told) == sorted(leaves(spec, ""))


@pytest.mark.parametrize("title", [*(f"### {kind}" for kind in KINDS), "### Annotations"])
def test_every_row_says_how_it_is_and_names_tests(title: str) -> None:
    for row in rows(title):
        assert row[2] in {"same", "better"}, row
        assert row[2] == "same" or row[3], row
        compiled, through_envoy = (re.findall(r"`([^`]+)`", cell) for cell in row[4:6])
        assert compiled, row
        assert all((ROOT / "tests/unit/routing" / name).is_file() for name in compiled), row
        assert all((ROOT / "tests/envoy" / name).is_file() for name in through_envoy), row


def test_every_reason_is_one_that_the_compiler_gives() -> None:
    written = "\n".join(path.read_text() for path in (ROOT / "src/isoline/routing").rglob("*.py"))
    reasons = [reason for row in rows("## Statuses") for reason in re.findall(r"`([^`]+)`", row[1])]
    assert reasons
    assert [reason for reason in reasons if f'"{reason}"' not in written] == []
