"""`isoline diff`: what `isoline apply` would change, down to routes."""

from collections.abc import Sequence
from pathlib import Path

from isoline.cli.apply import encoded, read_good
from isoline.cli.client import Client
from isoline.cli.errors import FoundWrongError
from isoline.cli.output import complain, say
from isoline.console.wire import Difference

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def diff(client: Client, paths: Sequence[Path]) -> None:
    """Prints the difference. Raises FoundWrongError when something would be refused or become invalid."""
    difference = client.post("diff", encoded(read_good(paths).objects), Difference)
    for item in difference.objects:
        if item.action == "unchanged":
            continue
        say(f"{item.key} {item.action}" + (f": {item.note}" if item.note else ""), style="bold")
        _print_lines(item.lines)
    for route in difference.routes:
        say(f"routes of {route.host} {route.action}", style="bold")
        _print_lines(route.lines)
    counts = [
        f"{count} {action}"
        for action in ("added", "changed", "removed", "unchanged", "refused")
        if (count := sum(item.action == action for item in difference.objects))
    ]
    say(f"objects: {', '.join(counts)}; hosts with other routes: {len(difference.routes)}")
    for problem in difference.problems:
        complain(f"would be invalid: {problem}")
    for problem in difference.harmed:
        complain(f"would harm another: {problem}")
    if difference.problems or difference.harmed or any(item.action == "refused" for item in difference.objects):
        raise FoundWrongError("applying this would not do all of it")


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        say(f"  {line}", style=_STYLES.get(line[:1], ""))
