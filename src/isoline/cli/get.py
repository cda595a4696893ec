"""`isoline get`."""

from collections.abc import Iterator
from typing import Any

from isoline.cli.client import Client, plain_json
from isoline.cli.columns import columns_of, overview_row
from isoline.cli.errors import FoundWrongError, UsedWronglyError
from isoline.cli.output import Format, complain, print_aligned, say, table, to_yaml
from isoline.console.wire import Listing, WatchRecord

OVERVIEW = ["Name", "Phase", "Ready", "Address", "Age"]


def split_target(kind: str, name: str | None) -> tuple[str, str | None]:
    """`app/voice` and `app voice` mean the same."""
    if "/" in kind:
        if name is not None:
            raise UsedWronglyError(f"{kind} names an object already: leave out {name}")
        kind, _, name = kind.partition("/")
    return kind, name


def get(
    client: Client, kind: str, name: str | None, *, namespace: str | None, form: Format | None, secrets: bool
) -> None:
    """Prints what there is once. `namespace` None means all of them. Raises FoundWrongError for a missing object."""
    listings = client.get(
        "objects", list[Listing], kind=kind, name=name, namespace=namespace, secrets="true" if secrets else None
    )
    found = [item for listing in listings for item in listing.items]
    if name is not None and not found:
        where = f" in namespace {namespace}" if namespace and any(listing.namespaced for listing in listings) else ""
        raise FoundWrongError(f"there is no {listings[0].resource} {name}{where}")
    if form in (Format.json, Format.yaml):
        _print_data(found, form, single=name is not None)
    elif form is Format.name:
        for listing in listings:
            for item in listing.items:
                say(f"{listing.resource}/{item['metadata']['name']}")
    elif not found:
        somewhere = namespace and any(listing.namespaced for listing in listings)
        complain("nothing there" + (f" in namespace {namespace}" if somewhere else ""), style="")
    elif kind in ("", "all"):
        _print_overview(listings, all_namespaces=namespace is None)
    else:
        for at, listing in enumerate(each for each in listings if each.items):
            if at:
                say("")
            _print_table(listing, all_namespaces=namespace is None, wide=form is Format.wide)


def watch(
    client: Client, kind: str, name: str | None, *, namespace: str | None, form: Format | None, secrets: bool
) -> None:
    """Prints what there is and each change of it, a line each; until interrupted."""
    if not kind or "," in kind or kind == "all":
        raise UsedWronglyError("-w watches one kind: say which")
    records = client.stream(
        "watch", WatchRecord, kind=kind, name=name, namespace=namespace, secrets="true" if secrets else None
    )
    columns = None
    for record in records:
        item = record.object
        if form is Format.json:
            say(plain_json(item))
        elif form is Format.yaml:
            say("---\n" + to_yaml(item).rstrip())
        elif form is Format.name:
            say(f"{item['kind'].lower()}/{item['metadata']['name']}")
        else:
            if columns is None:
                every = namespace is None and bool(item["metadata"].get("namespace"))
                columns = columns_of(item["kind"], namespace=every, wide=form is Format.wide)
                say("   ".join(column.title.upper() for column in columns))
            gone = "   (deleted)" if record.type == "DELETED" else ""
            say("   ".join(column.value(item) or "-" for column in columns) + gone)


def _print_data(found: list[dict[str, Any]], form: Format, *, single: bool) -> None:
    value = found[0] if single and len(found) == 1 else {"apiVersion": "v1", "kind": "List", "items": found}
    say(plain_json(value) if form is Format.json else to_yaml(value).rstrip())


def _print_table(listing: Listing, *, all_namespaces: bool, wide: bool) -> None:
    columns = columns_of(listing.kind, namespace=all_namespaces and listing.namespaced, wide=wide)
    table([column.title for column in columns], [[column.value(item) for column in columns] for item in listing.items])


def _print_overview(listings: list[Listing], *, all_namespaces: bool) -> None:
    lines = [["NAMESPACE"] * all_namespaces + [title.upper() for title in OVERVIEW]]
    for place, row in _overview(listings):
        lines.append([place] * all_namespaces + row)
    print_aligned(lines)


def _overview(listings: list[Listing]) -> Iterator[tuple[str, list[str]]]:
    for listing in listings:
        for item in listing.items:
            yield item["metadata"].get("namespace", ""), overview_row(listing.resource, item)
