"""The page of results: each figure of Isoline beside Contour's, and each bar, met or not."""
# ruff: noqa: E501 - prose that ends up in a page

from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.report import bars, machine, table

Figures = dict[str, Any]
Judgement = tuple[str, str, str, bool]

HEAD = """# Benchmarks on Kubernetes

`make bench-kubernetes` measures all of this anew and writes this page and `benchmarks-kubernetes.json` beside it; `PYTHONPATH=tests python -m
benchmarks.kubernetes PART…` measures a part. Contour and Isoline run one after the other in the same run, on the same API server with the same
objects, each with the same Envoy. A change is one JSON patch of one route's response header, timed from before the patch until the first response that carries
it; the API server alone takes 4 to 5 ms of that on such a machine. Contour's client rate is raised to 2 000 a second unless said otherwise.
"""


def page(figures: Figures) -> str:
    """The whole page, as far as there are figures for it."""
    parts = [HEAD, machine(figures), bars(_judged(figures))]
    if changes := _changes(figures):
        parts.append(_change(changes))
    for name, part in (("many", _many), ("cold", _cold), ("envoys", _envoys)):
        if name in figures:
            parts.append(part(figures[name]))
    return "\n".join(parts)


def _changes(figures: Figures) -> Figures:
    """What one change costs: by number of sites, then by control plane."""
    sizes = (name.removeprefix("change-") for name in figures if name.startswith("change-"))
    return {size: figures[f"change-{size}"] for size in sorted(sizes, key=int)}


def _judged(figures: Figures) -> Iterator[Judgement]:
    both = _changes(figures)
    if ours := {size: each["isoline"] for size, each in both.items() if "isoline" in each}:
        yield from _judged_change(ours, {size: each["contour"] for size, each in both.items() if "contour" in each})
    cold = figures.get("cold", {})
    for name, text, bar in (("isoline", "", 4.6), ("isoline_kept", ", with a kept snapshot", 2.5)):
        if name in cold:
            measured = _middle(cold[name]["seconds"])
            yield f"cold start{text}", f"≤ {bar} s", f"{measured} s", measured <= bar
    if ours := figures.get("many", {}).get("isoline"):
        told = f"{ours['status_s']} s"
        count = figures["many"]["objects"]
        yield f"{count} objects at once, default settings → all with status", "≤ 5 s", told, ours["status_s"] <= 5


RATIO_FROM = 10_000
"""Sites from which the bar on the ratio holds: with few of them the API server's own time is most of both."""


def _judged_change(ours: Figures, theirs: Figures) -> Iterator[Judgement]:
    medians = [each["idle"]["p50"] for each in ours.values()]
    told = " / ".join(f"{value}" for value in medians) + " ms"
    yield f"change → served, {_sizes(ours)} sites, p50", "≤ 10 ms each", told, max(medians) <= 10
    slow = max(each["idle"]["p95"] for each in ours.values())
    yield "the same, p95", "≤ 25 ms", f"{slow} ms", slow <= 25
    largest = max(ours, key=int)
    if int(largest) >= RATIO_FROM and largest in theirs:
        ratio = round(theirs[largest]["idle"]["p50"] / ours[largest]["idle"]["p50"], 1)
        yield (
            f"the same, against Contour at {_sizes([largest])} sites",
            "≥ 40 ×",
            f"{ratio} ×",
            ratio >= 40,
        )
    most = ours[largest]
    for name, text, bar in (
        ("busy", "the same while 20 others change each second, p50", 12),
        ("status", "change → status, p50", 50),
        ("endpoints", "endpoint change → served, p50", 6.5),
    ):
        yield text, f"≤ {bar} ms", f"{most[name]['p50']} ms", most[name]["p50"] <= bar
    memory = most["control_plane_mib"]
    yield "control plane RSS", "≤ 250 MB", f"{memory} MiB", memory * 1.048576 <= 250


def _sizes(of: Iterable[str]) -> str:
    return " / ".join(f"{int(size):,}".replace(",", " ") for size in of)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _change(change: Figures) -> str:
    rows: list[list[object]] = []
    for size in change:
        rows += [[f"**{int(size):,} sites**".replace(",", " "), "", "", ""]]
        for name, key in (
            ("change → served", "idle"),
            ("with 20 other changes a second", "busy"),
            ("endpoint change → served", "endpoints"),
            ("change → status", "status"),
        ):
            rows.append([f"{name}, ms", *_beside(change, size, key)])
        for name, key in (
            ("control plane's processor seconds for 1 000 changes", "control_plane_seconds"),
            ("Envoy's", "envoy_seconds"),
            ("bytes sent to Envoy for a change", "bytes"),
            ("RSS of the control plane, MiB", "control_plane_mib"),
            ("RSS of Envoy, MiB", "envoy_mib"),
        ):
            rows.append([name, *_beside(change, size, key)])
    return "## One change\n\nMilliseconds: p50 (p95, max).\n\n" + table(["", "Contour", "Isoline", "ratio"], rows)


def _beside(both: Figures, size: str, key: str) -> list[object]:
    """Contour's figure, ours, and how many times smaller ours is."""
    found = [both[size].get(who, {}).get(key) for who in ("contour", "isoline")]
    return [*(_text(each) for each in found), _ratio(*found)]


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return f"{value['p50']} ({value['p95']}, {value['maximum']})"
    return f"{value:,}".replace(",", " ")


def _ratio(theirs: Any, ours: Any) -> str:
    theirs, ours = (each["p50"] if isinstance(each, dict) else each for each in (theirs, ours))
    return f"{theirs / ours:.1f} ×" if theirs and ours else "–"


def _many(many: Figures) -> str:
    rows = []
    for name, key in (("all created", "created_s"), ("all served", "served_s"), ("all with a status", "status_s")):
        found = [many.get(who, {}).get(key) for who in ("contour", "isoline")]
        rows.append([f"{name}, s", *(_text(each) for each in found), _ratio(*found)])
    told = ""
    if slow := many.get("contour_by_default"):
        lasts = slow.get("status_s_at_this_rate", "never")
        told = f"\nContour as it is by default writes {slow['statuses_each_second']} statuses a second: {lasts} s for all, at that rate.\n"
    head = f"## {many['objects']} objects at once\n\n"
    return head + table(["", "Contour", "Isoline", "ratio"], rows) + told


def _cold(cold: Figures) -> str:
    rows: list[list[object]] = []
    for name, key in (
        ("Contour", "contour"),
        ("Isoline", "isoline"),
        ("Isoline, with a kept snapshot", "isoline_kept"),
    ):
        if each := cold.get(key):
            memory = f"{each['control_plane_mib']} / {each['envoy_mib']}"
            rows.append([name, ", ".join(map(str, each["seconds"])), memory])
    head = f"## Cold start, {cold['sites']} sites\n\nSeconds from the start of control plane and Envoy to the last site served, each run.\n\n"
    return head + table(["", "s", "RSS of control plane / Envoy before, MiB"], rows)


def _envoys(envoys: Figures) -> str:
    rows: list[list[object]] = []
    counts = next(each for each in envoys.values() if isinstance(each, dict))
    for count in counts:
        found = [envoys.get(who, {}).get(count, {}) for who in ("contour", "isoline")]
        changes = [each.get("change") for each in found]
        rows.append([f"{count}: change → served by all, ms", *(_text(each) for each in changes), _ratio(*changes)])
        memory = [each.get("control_plane_mib") for each in found]
        rows.append([f"{count}: RSS of the control plane, MiB", *(_text(each) for each in memory), _ratio(*memory)])
    head = f"## Several Envoys, {envoys['sites']} sites\n\nMilliseconds: p50 (p95, max) until the last of them serves a change.\n\n"
    return head + table(["Envoys", "Contour", "Isoline", "ratio"], rows)
