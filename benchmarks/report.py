"""The page of results: every figure beside its bar, met or not."""
# ruff: noqa: E501 - prose that ends up in a page

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Figures = dict[str, Any]

HEAD = """# Benchmarks

`make bench` measures all of this anew and writes this page and `benchmarks.json` beside it; `python -m benchmarks NAME…` measures a part. Absolute
figures are of one machine and one day; where something is compared, both sides ran in the same run.
"""


def page(figures: Figures) -> str:
    """The whole page, as far as there are figures for it."""
    parts = [HEAD, machine(figures), bars(_judged(figures))]
    for name, part in (
        ("change", _change),
        ("cold", _cold),
        ("proxying", _proxying),
        ("chain", _chain),
        ("mixed", _mixed),
        ("survival", _survival),
        ("swaps", _swaps),
        ("speech", _speech),
    ):
        if name in figures:
            parts.append(part(figures[name]))
    return "\n".join(parts)


def machine(figures: Figures) -> str:
    """When and on what it was measured."""
    told = ", ".join(f"{name} {value}" for name, value in figures.get("machine", {}).items())
    return f"Measured {figures.get('measured', '')} on: {told}.\n"


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """A table of a page."""
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def bars(judged: Iterable[tuple[str, str, str, bool]]) -> str:
    """What is asked for, what was measured, and whether that is enough."""
    rows: list[list[object]] = [
        [figure, bar, measured, "met" if met else "**not met**"] for figure, bar, measured, met in judged
    ]
    return "## Bars\n\n" + table(["figure", "bar", "measured", ""], rows)


def _judged(figures: Figures) -> Iterator[tuple[str, str, str, bool]]:
    if "change" in figures:
        yield from _judged_change(figures["change"])
    if "cold" in figures:
        cold = figures["cold"]
        first, again = _middle(cold["first_s"]), _middle(cold["from_snapshot_s"])
        yield "cold start, 10 000 sites, first time", "≤ 4.6 s", f"{first} s", first <= 4.6
        yield "cold start, 10 000 sites, from the snapshot", "≤ 2 s", f"{again} s", again <= 2
        memory = cold["control_plane_mib"]
        yield "control plane RSS at 10 000 sites", "≤ 250 MB", f"{memory} MiB", memory * 1.048576 <= 250
    if "proxying" in figures:
        ratio = figures["proxying"]["predict"]["ratio"]
        errors = figures["proxying"]["predict"]["isoline"]["errors"]
        yield "POST /predict against default nginx, requests/s", "≥ 1.67 ×", f"{ratio['rate']} ×", ratio["rate"] >= 1.67
        yield "the same, p95", "≤ 0.43 ×", f"{ratio['p95']} ×", ratio["p95"] <= 0.43
        yield "the same, errors", "0", str(errors), errors == 0
        held = figures["proxying"]["websockets"]["isoline"]
        told = f"{held['lost']} lost, {held['failed_upgrades']} of {held['upgrades']} upgrades failed"
        met = held["lost"] == 0 and held["failed_upgrades"] == 0
        yield "200 WebSockets while configuration changes each second", "0 lost, every upgrade succeeds", told, met
    if "chain" in figures:
        ratio = figures["chain"]["ratio"]
        yield (
            "requests/s of the filter chain against the same Envoy with its router alone",
            "≥ 0.88 ×",
            f"{ratio} ×",
            ratio >= 0.88,
        )
    if "mixed" in figures:
        ratios = figures["mixed"]["ratio"]
        told = ", ".join(f"{name.replace('_', ' ')} {value} ×" for name, value in ratios.items())
        yield "10 000 sites with everything against 10 000 plain ones", "≤ 2 × each", told, max(ratios.values()) <= 2
    if "speech" in figures:
        first = figures["speech"]["1 client"]["first_audio_ms"]["p50"]
        yield "first audio over HTTPS, embedded engine, p50", "≤ 50 ms", f"{first} ms", first <= 50
    if "survival" in figures:
        yield from _judged_survival(figures["survival"])
    if "swaps" in figures:
        yield from _judged_swaps(figures["swaps"])


def _judged_change(change: Figures) -> Iterator[tuple[str, str, str, bool]]:
    usual = {size: change["sites"][size] for size in ("100", "1000", "10000")}
    medians = {size: each["idle"]["p50"] for size, each in usual.items()}
    told = " / ".join(f"{value} ms" for value in medians.values())
    yield (
        "change → served, 100 / 1 000 / 10 000 sites, p50",
        "≤ 5 ms each",
        told,
        all(value <= 5 for value in medians.values()),
    )
    spread = round(max(medians.values()) / min(medians.values()), 2)
    yield "the largest of these over the smallest", "≤ 1.5 ×", f"{spread} ×", spread <= 1.5
    slow = max(each["idle"]["p95"] for each in usual.values())
    yield "the same, p95", "≤ 20 ms", f"{slow} ms", slow <= 20
    busy = max(each["busy"]["p95"] for each in usual.values())
    yield "the same while 20 other sites change each second, p95", "≤ 40 ms", f"{busy} ms", busy <= 40
    if "100000" in change["sites"]:
        most = change["sites"]["100000"]["idle"]["p50"]
        yield "change → served, 100 000 sites, p50", "≤ 10 ms", f"{most} ms", most <= 10
    saved = change["file_saved"]["p50"]
    yield "a file saved → served, 10 000 sites, p50", "≤ 30 ms", f"{saved} ms", saved <= 30


def _judged_survival(survival: Figures) -> Iterator[tuple[str, str, str, bool]]:
    plane, replica = survival["control_plane"], survival["replica"]
    yield (
        "kill -9 of the control plane under 200 requests/s",
        "0 failed",
        f"{plane['failed']} of {plane['requests']}",
        plane["failed"] == 0,
    )
    yield (
        "resources sent after its restart, one having changed",
        "1",
        str(plane["resources_sent"]),
        plane["resources_sent"] == 1,
    )
    yield (
        "what changed while it was away, live after the start",
        "≤ 2 s",
        f"{plane['live_after_s']} s",
        plane["live_after_s"] <= 2,
    )
    told = f"{replica['failed']} of {replica['requests']}, replaced after {replica['replaced_after_s']} s"
    yield "kill -9 of one of two replicas under 200 requests/s", "0 failed, replaced", told, replica["failed"] == 0


def _judged_swaps(swaps: Figures) -> Iterator[tuple[str, str, str, bool]]:
    for kind, each in swaps.items():
        told = f"{each['failed']} of {each['requests']}, {each['lost']} of {each['streams']}"
        bar = "0 requests failed, 0 streams lost"
        yield f"{_SWAPS[kind]}, under 500 requests/s", bar, told, each["failed"] == each["lost"] == 0


_SWAPS = {
    "swap": "a route's Service swapped",
    "shift": "all weight shifted from one Service to another",
    "roll": "replicas rolled one by one",
}


def _swaps(swaps: Figures) -> str:
    rows = [
        [_SWAPS[kind], each["changes"], each["replicas"], each["requests"], each["failed"], each["lost"]]
        for kind, each in swaps.items()
    ]
    head = ["20 changes in 5 s", "changes", "replicas that answered", "requests", "failed", "streams lost of 100"]
    return "## Where requests go changes\n\n" + table(head, rows)


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _change(change: Figures) -> str:
    rows: list[list[object]] = []
    for size, each in change["sites"].items():
        base = change["one_big_rds"].get(size)
        rows.append(
            [
                f"{int(size):,}".replace(",", " "),
                _spread(each["idle"]),
                _spread(each["busy"]),
                _spread(base) if base else "",
                f"{each['control_plane_mib']} / {each['envoy_mib']}",
            ]
        )
    return (
        "## A change, until it is served\n\n"
        "An HTTPProxy is applied through the control API; the clock stops at the first response that carries the change, asked for over plain "
        "HTTP/1.1 without a pause. *Others* means that 20 other sites change each second meanwhile. The base line is the same Envoy and the same "
        "delta stream with all sites in one `RouteConfiguration`. Milliseconds: p50 (p95, max).\n\n"
        + table(["sites", "alone", "with others", "one big RDS", "RSS of control plane / Envoy, MiB"], rows)
        + f"\nA file saved in a directory of 10 000: {_spread(change['file_saved'])} ms.\n"
    )


def _spread(each: Figures) -> str:
    return f"{each['p50']} ({each['p95']}, {each['maximum']})"


def _cold(cold: Figures) -> str:
    return (
        "## Cold start\n\n"
        f"{cold['sites']} sites in a hundred YAML files, nothing running. From the start of `isoline up`, interpreter included, until the last site is served, "
        "seconds of each run:\n\n"
        + table(
            ["", "seconds"],
            [
                ["first time", ", ".join(map(str, cold["first_s"]))],
                ["from the kept snapshot", ", ".join(map(str, cold["from_snapshot_s"]))],
            ],
        )
        + f"\nAfterwards the control plane has {cold['control_plane_mib']} MiB resident, Envoy {cold['envoy_mib']} MiB.\n"
    )


def _proxying(proxying: Figures) -> str:
    predict, sockets = proxying["predict"], proxying["websockets"]
    rows: list[list[object]] = [
        [name, round(each["rate"]), each["p50"], each["p95"], each["p99"], each["errors"]]
        for name, each in predict.items()
        if name != "ratio"
    ]
    held: list[list[object]] = [
        [name, each["opened"], each["lost"], each["upgrades"], each["failed_upgrades"], each["changes"]]
        for name, each in sockets.items()
    ]
    return (
        "## POST /predict with 100 kB of audio\n\n"
        "50 connections; the proxy has one core, the load and the backend the other; the median of three rounds taken in turn. Latencies in milliseconds. "
        "Default nginx is `proxy_pass` and nothing else, which spools bodies to disk; the tuned one does not buffer, keeps upstream connections and has one worker for its one core. A tuned nginx moves bytes "
        "faster than Envoy; it does not do what the gateway does with them. None of them writes an access log here.\n\n"
        + table(["", "requests/s", "p50", "p95", "p99", "errors in all rounds"], rows)
        + "\nWebSockets held open, and 20 new upgrades a second, while the configuration changes every second (nginx: a reload):\n\n"
        + table(["", "held", "lost", "new upgrades", "failed", "changes"], held)
    )


def _chain(chain: Figures) -> str:
    return (
        "## The filter chain\n\n"
        "Small GETs over 50 connections, one core for the proxy, five rounds in turn with the same Envoy, the same listener and the same routes, but no filter except the router; "
        "and with an Envoy of a few lines of static configuration.\n\n"
        + table(
            ["", "requests/s of the rounds"],
            [
                [name.replace("_", " "), ", ".join(map(str, chain[name]))]
                for name in ("isoline", "router_alone", "few_lines")
            ],
        )
        + f"\nMedian of the rounds' ratios: {chain['ratio']} of the router alone, {chain['ratio_to_few_lines']} of the few lines.\n"
    )


def _mixed(mixed: Figures) -> str:
    rows: list[list[object]] = [
        [
            name,
            _spread(each["change"]),
            each["cold_start_s"],
            f"{each['control_plane_mib']} / {each['envoy_mib']}",
        ]
        for name, each in ((name, mixed[name]) for name in ("plain", "mixed"))
    ]
    return (
        "## Sites with everything\n\n"
        f"{mixed['sites']} sites, each with TLS, CORS, a rate limit, headers, retries and two Services, against as many plain ones. Milliseconds: p50 (p95, max).\n\n"
        + table(["", "change → served", "cold start, s", "RSS of control plane / Envoy, MiB"], rows)
    )


def _survival(survival: Figures) -> str:
    plane, replica = survival["control_plane"], survival["replica"]
    return (
        "## kill -9\n\n"
        f"Of the control plane, at 1 000 sites and 200 requests/s: {plane['failed']} of {plane['requests']} requests failed. One file was changed while it was away; "
        f"{plane['live_after_s']} s after the start of the next one the change was live, and {plane['resources_sent']} resource had been sent.\n\n"
        f"Of one of two replicas of the studio at 200 requests/s over HTTPS: {replica['failed']} of {replica['requests']} failed; "
        f"another process ran {replica['replaced_after_s']} s later.\n"
    )


def _speech(speech: Figures) -> str:
    rows: list[list[object]] = [
        [name, _spread(each["first_audio_ms"]), each["real_time_factor"]] for name, each in speech.items()
    ]
    return (
        "## Speech\n\n"
        "A sentence of two clauses in plain style over HTTPS, through Envoy and the studio with its embedded engine; what a feeling costs is on [the "
        "studio's page](benchmarks-voice.md). First audio in milliseconds, p50 (p95, max); the "
        "real-time factor is the time until the last byte over the length of the audio.\n\n"
        + table(["", "first audio", "real-time factor"], rows)
    )
