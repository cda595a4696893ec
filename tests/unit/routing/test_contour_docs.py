"""docs/contour.md has every field of Contour's objects, and each of its rows names tests that there are."""

import ast
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
        assert all(any(has_tests(room / name) for room in COMPILING) for name in compiled), row
        assert all(has_tests(ROOT / "tests/envoy" / name) for name in through_envoy), row
        if not through_envoy:
            assert row[5] == "nothing changes", row
            assert row[0] in CHANGES_NO_TRAFFIC, row


COMPILING = (ROOT / "tests/unit/routing", ROOT / "tests/unit/gateway")
CHANGES_NO_TRAFFIC = {
    # A tunnel knows no requests: what is about them is left out with a warning.
    "`tcpproxy.services.requestHeadersPolicy`, `tcpproxy.services.responseHeadersPolicy`",
    "`tcpproxy.services.cookieRewritePolicies`",
}


def has_tests(file: Path) -> bool:
    return file.is_file() and any(
        isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_")
        for each in ast.parse(file.read_text()).body
    )


def test_what_is_said_to_change_no_traffic_is_in_the_table() -> None:
    assert {row[0] for row in rows("### HTTPProxy") if row[5] == "nothing changes"} == CHANGES_NO_TRAFFIC
