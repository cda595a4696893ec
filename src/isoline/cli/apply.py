"""`isoline apply` and `isoline delete`."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from isoline.cli.client import Client
from isoline.cli.errors import FoundWrongError, UsedWronglyError
from isoline.cli.files import Manifests, read_manifests
from isoline.cli.output import complain, say
from isoline.console.wire import Outcome, Reference
from isoline.objects import Object
from isoline.objects.encoding import encode


def read_good(paths: Sequence[Path]) -> Manifests:
    """What the files hold, with warnings printed. Raises FoundWrongError, once all errors are printed, if any are."""
    manifests = read_manifests(paths)
    for warning in manifests.warnings:
        complain(f"warning: {warning}", style="yellow")
    if manifests.errors:
        for error in manifests.errors:
            complain(str(error))
        raise FoundWrongError(f"{_counted(len(manifests.errors), 'error')}: nothing was changed")
    if not manifests.located:
        places = ("<stdin>" if str(path) == "-" else str(path) for path in paths)
        raise FoundWrongError("no objects in " + ", ".join(places))
    return manifests


def encoded(objects: Sequence[Object]) -> bytes:
    return msgspec.json.encode([msgspec.Raw(encode(item)) for item in objects])


def apply(client: Client, paths: Sequence[Path], *, dry_run: bool) -> None:
    manifests = read_good(paths)
    outcomes = client.post("apply", encoded(manifests.objects), list[Outcome], dryRun="true" if dry_run else None)
    _report(outcomes, dry_run=dry_run)


def delete(
    client: Client, paths: Sequence[Path], kind: str | None, names: Sequence[str], namespace: str, *, dry_run: bool
) -> None:
    """Deletes what files hold, or objects by kind and name."""
    if bool(paths) == bool(kind):
        raise UsedWronglyError("say what to delete: by -f FILE, or by KIND NAME")
    if paths:
        references = [Reference(*item.key) for item in read_good(paths).objects]
    else:
        assert kind is not None
        if "/" in kind:
            kind, _, first = kind.partition("/")
            names = [first, *names]
        if not names:
            raise UsedWronglyError(f"say which {kind} to delete, by name")
        references = [Reference(kind, namespace, name) for name in names]
    outcomes = client.post("delete", msgspec.json.encode(references), list[Outcome], dryRun="true" if dry_run else None)
    _report(outcomes, dry_run=dry_run)


def _report(outcomes: Sequence[Outcome], *, dry_run: bool) -> None:
    suffix = " (dry run)" if dry_run else ""
    failed = 0
    for outcome in outcomes:
        note = f": {outcome.note}" if outcome.note else ""
        if outcome.action in ("refused", "not found"):
            failed += 1
            complain(f"{outcome.key} {outcome.action}{note}")
        else:
            say(f"{outcome.key} {outcome.action}{suffix}{note}")
    if failed:
        raise FoundWrongError(f"{failed} of {_counted(len(outcomes), 'object')} not changed")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
