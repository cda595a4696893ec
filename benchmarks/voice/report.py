"""The page of the studio's figures: every figure beside its bar, met or not."""
# ruff: noqa: E501 - prose that ends up in a page

from collections.abc import Iterator
from typing import Any

from benchmarks.report import bars, machine, table

Figures = dict[str, Any]
Judged = tuple[str, str, str, bool]

HEAD = """# Benchmarks of the voice studio

`make bench-voice` measures all of this anew and writes this page and `benchmarks-voice.json` beside it; `make bench-voice PARTS="NAME…"` measures a
part. Everything goes over HTTPS, through Envoy, to the studio as `isoline up` runs it, with client, gateway and engine on the same cores.
"""


def page(figures: Figures) -> str:
    """The whole page, as far as there are figures for it."""
    parts = [HEAD, machine(figures), verdict(figures)]
    for name, part in (("first_audio", _first_audio), ("overhead", _overhead), ("cancelling", _cancelling)):
        if name in figures:
            parts.append(part(figures[name]))
    return "\n".join(parts)


def verdict(figures: Figures) -> str:
    """The table of bars."""
    return bars(_judged(figures))


def _judged(figures: Figures) -> Iterator[Judged]:
    if "first_audio" in figures:
        for clients, most in (("1", 50), ("8", 150)):
            value = figures["first_audio"]["plain"][clients]["first_audio_ms"]["p50"]
            name = f"first audio, embedded engine, {clients} client{'s' * (clients != '1')}, p50"
            yield name, f"≤ {most} ms", f"{value} ms", value <= most
    if "throughput" in figures:
        made = figures["throughput"]["plain"]
        yield "audio made in a second, embedded engine, plain style", "≥ 100 s", f"{made} s", made >= 100
    if "overhead" in figures:
        added = figures["overhead"]["overhead_ms"]
        yield "added to a remote engine's first audio, p50", "≤ 10 ms", f"{added} ms", added <= 10
    if "cancelling" in figures:
        slowest = max(each["p95"] for each in figures["cancelling"].values())
        yield "a listener leaves → the engine is free, p95", "≤ 100 ms", f"{slowest} ms", slowest <= 100
    if "styles" in figures:
        for name, least in (("own", 0.98), ("held out", 0.95)):
            each = figures["styles"][name]
            told = f"{each['share']:.1%} of {each['sentences']}, {each['ms']['p95']} ms each (p95)"
            yield f"sentences understood, {name}", f"≥ {least:.0%}, < 1 ms", told, _understood(each, least)
    if "page" in figures:
        size, painted = figures["page"]["transfer_kb"], figures["page"]["first_paint_s"]
        yield "the page, transferred", "≤ 150 kB", f"{size} kB", size <= 150
        yield "its first paint on a throttled phone", "≤ 1 s", f"{painted} s", painted <= 1


def _understood(each: Figures, least: float) -> bool:
    return bool(each["share"] >= least and each["ms"]["p95"] < 1)


def _first_audio(found: Figures) -> str:
    rows = [
        [style, clients, _spread(each["first_audio_ms"]), each["real_time_factor"]]
        for style, by_clients in found.items()
        for clients, each in by_clients.items()
    ]
    head = ["style", "clients", "first audio, ms: p50 (p95, max)", "time to the last byte over the audio's length"]
    return "## First audio\n\nA sentence of two clauses, asked for again as soon as it has come.\n\n" + table(
        head, rows
    )


def _overhead(found: Figures) -> str:
    return (
        "## A remote engine\n\nA server of ours that speaks sglang-omni's protocol and answers at once, asked directly and through gateway and studio "
        f"in turns: {found['direct_ms']} and {found['whole_ms']} ms until the first audio (p50).\n"
    )


def _cancelling(found: Figures) -> str:
    rows = [[name, _spread(each)] for name, each in found.items()]
    told = "From the moment when a listener closes a long text until the studio's own figures show nobody speaking.\n\n"
    return "## A listener leaves\n\n" + told + table(["connected by", "ms: p50 (p95, max)"], rows)


def _spread(each: Figures) -> str:
    return f"{each['p50']} ({each['p95']}, {each['maximum']})"
