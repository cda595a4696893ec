"""`isoline get`."""

from collections.abc import Iterator
from typing import Any

from isoline.cli.client import Client, plain_json
from isoline.cli.columns import AGE, Column, columns_of, overview_row
from isoline.cli.errors import FoundWrongError, UsedWronglyError
from isoline.cli.output import Format, complain, print_aligned, say, table, to_yaml
from isoline.console.wire import Listing, WatchRecord

OVERVIEW = ["Name", "Phase", "Ready", "Address", "Age"]
_LEAST_WIDTHS = {"Namespace": 12, "Name": 24, "Phase": 8, "Ready": 5, "FQDN": 32, "Address": 36, "Status": 13, "Age": 5}
"""Of the columns of what is watched: what comes later is not known when the first row is shown."""


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
    rows = _Rows(every_namespace=namespace is None, wide=form is Format.wide)
    for record in records:
        item = record.object
        if form is Format.json:
            say(plain_json(item))
        elif form is Format.yaml:
            say("---\n" + to_yaml(item).rstrip())
        elif form is Format.name:
            say(f"{item['kind'].lower()}/{item['metadata']['name']}")
        else:
            rows.show(item, deleted=record.type == "DELETED")


class _Rows:
    """Rows of a table whose end is not known: a column grows with what comes, and a row is shown when it differs."""

    def __init__(self, *, every_namespace: bool, wide: bool) -> None:
        self._every_namespace = every_namespace
        self._wide = wide
        self._columns: list[Column] = []
        self._widths: list[int] = []
        self._shown: dict[tuple[str, str], list[str]] = {}

    def show(self, item: dict[str, Any], *, deleted: bool) -> None:
        metadata = item["metadata"]
        place = (metadata.get("namespace", ""), metadata["name"])
        if not self._columns:
            named = self._every_namespace and bool(place[0])
            self._columns = columns_of(item["kind"], namespace=named, wide=self._wide)
            self._widths = [_LEAST_WIDTHS.get(column.title, 0) for column in self._columns]
            self._line([column.title.upper() for column in self._columns])
        cells = [column.value(item) or "-" for column in self._columns]
        # Its age alone is no news.
        told = [cell for column, cell in zip(self._columns, cells, strict=True) if column is not AGE]
        if deleted:
            self._shown.pop(place, None)
            self._line([*cells, "(deleted)"])
        elif self._shown.get(place) != told:
            self._shown[place] = told
            self._line(cells)

    def _line(self, cells: list[str]) -> None:
        self._widths = [max(width, len(cell)) for width, cell in zip(self._widths, cells, strict=False)]
        padded = [cell.ljust(width) for cell, width in zip(cells, [*self._widths, 0], strict=False)]
        say("   ".join(padded).rstrip())


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
