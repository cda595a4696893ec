"""Every difference between Contour and Isoline: same, better (with the reason) or wrong."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import yaml

RECORDED: Final = Path(__file__).parent.parent / "golden" / "parity"
PAGE: Final = Path(__file__).parent.parent.parent / "docs" / "parity.md"
BETTER: Final = Path(__file__).parent / "better.yaml"


_CLIENT: Final = re.compile(r"[0-9.]+$")
_FINGERPRINT: Final = re.compile("Hash=[0-9a-f]+")
_OF_CLIENTS: Final = frozenset({"x-forwarded-for", "x-envoy-external-address"})

Part = Literal["status", "traffic"]


class Answers(NamedTuple):
    """What one of the two said: statuses by object, and answers by the request's name."""

    statuses: Mapping[str, Any]
    traffic: Mapping[str, Any]


class Row(NamedTuple):
    """One object or request."""

    part: Part
    name: str
    verdict: Literal["same", "better", "wrong"]
    reason: str = ""
    theirs: Any = None
    ours: Any = None


def record(answers: Answers) -> None:
    """Keep Contour's answers, without what differs from run to run."""
    RECORDED.mkdir(exist_ok=True)
    traffic = {name: [_kept(each) for each in those] for name, those in answers.traffic.items()}
    for part, content in (("statuses", answers.statuses), ("traffic", traffic)):
        text = yaml.safe_dump(content, sort_keys=True, width=120, allow_unicode=True)
        (RECORDED / f"{part}.yaml").write_text(text)


def recorded() -> Answers:
    """Return what was kept."""
    return Answers(*(_read((RECORDED / f"{part}.yaml").read_text()) for part in ("statuses", "traffic")))


def _read(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def compare(theirs: Answers, ours: Answers) -> list[Row]:
    """Return a row for each object and request of Contour's."""
    better = _read(BETTER.read_text())
    everywhere = better["everywhere"]
    rows: list[Row] = []
    for name, status in sorted(theirs.statuses.items()):
        their, our = (_without(each, everywhere["status"]) for each in (status, ours.statuses.get(name, {})))
        rows.append(_row("status", name, their, our, better["statuses"]))
    for name, answers in sorted(theirs.traffic.items()):
        their_own, our_own = (
            [_compared(each, everywhere) for each in those] for those in (answers, ours.traffic.get(name, ()))
        )
        rows.append(_row("traffic", name, their_own, our_own, better["traffic"]))
    return rows


def _compared(answer: Mapping[str, Any], everywhere: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of an answer: without the headers that differ everywhere, sets of cookies' attributes in order."""
    kept = _kept(answer)
    for field, part in (("headers", "answer"), ("got", "request")):
        kept[field] = [each for each in kept[field] if each[0] not in everywhere[part]]
    return {name: value for name, value in kept.items() if value not in ([], "")}


def _kept(answer: Mapping[str, Any]) -> dict[str, Any]:
    headers = {
        field: [[name, _understood(name, value)] for name, value in answer.get(field, ())]
        for field in ("headers", "got")
    }
    return {**answer, **headers}


def _understood(name: str, value: str) -> str:
    if name == "set-cookie":
        return _cookie(value)
    if name == "x-forwarded-client-cert":
        return _FINGERPRINT.sub("Hash=*", value)
    if name == "x-request-start":
        return "*"
    return _CLIENT.sub("client", value) if name in _OF_CLIENTS else value


def _cookie(text: str) -> str:
    """A Set-Cookie as it is understood: attributes have no order, and the value of affinity is Envoy's choice."""
    first, *attributes = text.split("; ")
    name, _, _ = first.partition("=")
    return "; ".join([f"{name}=*" if name == "X-Contour-Session-Affinity" else first, *sorted(attributes)])


def _without(status: Mapping[str, Any], left_out: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if name not in left_out}


def _row(part: Part, name: str, theirs: Any, ours: Any, better: Mapping[str, Any]) -> Row:
    if theirs == ours:
        return Row(part, name, "same")
    entry = better.get(name)
    if entry is not None and entry["ours"] == ours:
        return Row(part, name, "better", entry["because"], theirs, ours)
    return Row(part, name, "wrong", "", theirs, ours)


def text(rows: Sequence[Row]) -> str:
    """Return what is wrong, in full, and the counts."""
    parts = []
    for row in rows:
        if row.verdict == "wrong":
            both = yaml.safe_dump({"theirs": row.theirs, "ours": row.ours}, sort_keys=False, width=150)
            parts.append(f"{row.part} {row.name}\n{both}")
    count = Counter((row.part, row.verdict) for row in rows)
    parts.append("".join(f"{part:8} {verdict:7} {number:4}\n" for (part, verdict), number in sorted(count.items())))
    return "\n".join(parts)


def write_page(rows: Sequence[Row]) -> None:
    """Write `docs/parity.md`."""
    count = Counter((row.part, row.verdict) for row in rows)
    lines = [
        "# Parity with Contour",
        "",
        "Made by `make parity`: the same objects and the same requests, given to Contour 1.33.8 and to Isoline.",
        "",
        "| | same | better | wrong |",
        "|---|---|---|---|",
    ]
    titles: dict[Part, str] = {"status": "objects: status, word for word", "traffic": "requests: what is answered"}
    for part, title in titles.items():
        lines.append(f"| {title} | {count[part, 'same']} | {count[part, 'better']} | {count[part, 'wrong']} |")
    lines += ["", "## Better, or different on purpose", "", "| where | why |", "|---|---|"]
    for kind, entries in _read(BETTER.read_text())["everywhere"].items():
        lines += [f"| every {kind}: `{name}` | {why} |" for name, why in entries.items()]
    lines += [f"| {row.name} | {row.reason} |" for row in rows if row.verdict == "better"]
    wrong = [row for row in rows if row.verdict == "wrong"]
    if wrong:
        lines += ["", "## Wrong", "", *(f"- {row.part}: {row.name}" for row in wrong)]
    PAGE.write_text("\n".join(lines) + "\n")
