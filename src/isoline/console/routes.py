"""Routes in words, as `describe` and `diff` show them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isoline.routing import ir


class RouteRow(NamedTuple):
    """One route: what it matches, where it goes, and what else it does."""

    schemes: str
    match: str
    action: str
    options: str

    def __str__(self) -> str:
        return "  ".join(part for part in (self.schemes.ljust(10), self.match, "→", self.action, self.options) if part)


def rows_of(site: ir.Site | None) -> list[RouteRow]:
    """The routes of a site in the order in which they are tried. One that is on both schemes is one row."""
    if site is None:
        return []
    secure = [_row("https", route, site) for route in site.https]
    plain = [_row("http", route, site) for route in site.http]
    both = {row[1:] for row in secure} & {row[1:] for row in plain}
    rows = [row._replace(schemes="http,https") if row[1:] in both else row for row in secure]
    return rows + [row for row in plain if row[1:] not in both]


def _row(scheme: str, route: ir.Route, site: ir.Site) -> RouteRow:
    endpoints = {cluster.name: _where(cluster) for cluster in site.clusters}
    action = route.action
    options: list[str] = []
    if isinstance(action, ir.Forward):
        told = _shares(action.shares, endpoints)
        options += _forward_options(action)
    elif isinstance(action, ir.HttpsRedirect):
        told = "301 to https"
    elif isinstance(action, ir.Redirect):
        told = f"{action.status} to {_target(action)}"
    else:
        told = f"answers {action.status}" + (f" with {len(action.body)} bytes" if action.body else "")
    options += _edits("request", route.request_headers)
    options += _edits("response", route.response_headers)
    return RouteRow(scheme, _match(route.match), told, ", ".join(options))


def _match(match: ir.Match) -> str:
    path = match.path
    shown = {
        ir.PathKind.PREFIX: f"{path.value}*",
        ir.PathKind.SEGMENTS: path.value,
        ir.PathKind.EXACT: f"={path.value}",
        ir.PathKind.REGEX: f"~{path.value}",
    }[path.kind]
    headers = [f"header {_value(each)}" for each in match.headers]
    return " ".join([shown, *headers, *(f"query {_value(each)}" for each in match.query)])


def _value(condition: ir.HeaderMatch | ir.QueryMatch) -> str:
    negated = isinstance(condition, ir.HeaderMatch) and condition.invert
    if condition.kind is ir.ValueKind.PRESENT:
        return f"{'no ' if negated else ''}{condition.name}"
    return f"{condition.name} {'not ' if negated else ''}{condition.kind.value} {condition.value!r}"


def _where(cluster: ir.Cluster) -> str:
    return cluster.endpoints if cluster.dns is None else f"{cluster.dns.hostname}:{cluster.dns.port}"


def _shares(shares: Sequence[ir.Share], endpoints: dict[str, str]) -> str:
    total = sum(share.weight for share in shares)
    names = [
        ("503" if share.cluster == ir.NO_CLUSTER else endpoints.get(share.cluster, share.cluster), share.weight)
        for share in shares
    ]
    if len(names) == 1:
        return names[0][0]
    return ", ".join(f"{name} {weight * 100 / total:.3g} %" for name, weight in names)


def _target(redirect: ir.Redirect) -> str:
    scheme = f"{redirect.scheme}://" if redirect.scheme else ""
    port = f":{redirect.port}" if redirect.port else ""
    path = redirect.path or (f"{redirect.prefix}…" if redirect.prefix is not None else "")
    return f"{scheme}{redirect.hostname or ('…' if scheme or port else '')}{port}{path}" or "the same address"


def _forward_options(forward: ir.Forward) -> Iterator[str]:
    if forward.websocket:
        yield "websocket"
    if forward.timeout is not None:
        yield "no timeout" if forward.timeout == ir.NEVER else f"timeout {forward.timeout:g} s"
    if forward.idle_timeout is not None:
        yield "no idle timeout" if forward.idle_timeout == ir.NEVER else f"idle timeout {forward.idle_timeout:g} s"
    if forward.retry is not None:
        yield f"{forward.retry.count} retries on {'/'.join(forward.retry.on)}"
    if forward.hash_by:
        yield f"sticky by {'/'.join(f'{each.source} {each.name}'.strip() for each in forward.hash_by)}"
    if forward.prefix_rewrite is not None:
        yield f"path becomes {forward.prefix_rewrite}…"
    if forward.regex_rewrite is not None:
        yield f"path ~{forward.regex_rewrite.pattern} becomes {forward.regex_rewrite.substitution}"
    if forward.host_rewrite is not None:
        yield f"host becomes {forward.host_rewrite}"
    if forward.host_rewrite_header is not None:
        yield f"host becomes that of {forward.host_rewrite_header}"


def _edits(which: str, edits: ir.HeaderEdits) -> Iterator[str]:
    if edits.set:
        yield f"sets {which} {'/'.join(header.name for header in edits.set)}"
    if edits.remove:
        yield f"removes {which} {'/'.join(edits.remove)}"
