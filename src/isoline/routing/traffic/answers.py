"""Error pages, and the request's identity in answers."""

import re

from isoline.objects.traffic_policy_answers import ErrorPage, PolicyAccessLog, RequestID
from isoline.objects.traffic_policy_load import HTTP3
from isoline.routing import ir
from isoline.routing.httpproxy import header_names
from isoline.routing.traffic.durations import seconds
from isoline.routing.traffic.place import Place
from isoline.routing.traffic.services import cluster_of

_RANGE = re.compile(r"([45][0-9]{2})(?:-([45][0-9]{2}))?", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*")
_MAXIMUM_BODY = 65_536


def compile_error_pages(setting: tuple[ErrorPage, ...], place: Place) -> tuple[ir.ErrorPage, ...]:
    """Return the pages in their order."""
    return tuple(_page(page, place.item(position)) for position, page in enumerate(setting))


def _page(page: ErrorPage, place: Place) -> ir.ErrorPage:
    if not page.statuses:
        raise place.at("statuses").invalid("must name a status")
    if (page.service is None) == (not page.body):
        raise place.invalid("exactly one of body and service is needed")
    if len(page.body.encode()) > _MAXIMUM_BODY:
        raise place.at("body").invalid(f"at most {_MAXIMUM_BODY} bytes; let a Service answer with more")
    if not page.content_type or header_names.value_problem(page.content_type) or "%" in page.content_type:
        raise place.at("contentType").invalid(f"{page.content_type!r} is no media type")
    statuses = tuple(_statuses(text, place.at(f"statuses[{at}]")) for at, text in enumerate(page.statuses))
    if page.service is None:
        return ir.ErrorPage(statuses=statuses, status=page.status, body=page.body, content_type=page.content_type)
    service = page.service
    if not _PATH.fullmatch(service.path):
        raise place.at("service.path").invalid(f"{service.path!r} holds what cannot stand in a path")
    cluster = cluster_of(service.name, service.port, place.at("service"))
    host = f"{service.name}.{place.namespace}"
    return ir.ErrorPage(statuses=statuses, status=page.status, cluster=cluster, host=host, path=service.path)


def _statuses(text: str, place: Place) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise place.invalid(f'"{text}" is neither a status from 400 to 599 nor a range such as "500-599"')
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise place.invalid(f'"{text}" ends before it begins')
    return first, last


def compile_http3(setting: HTTP3, place: Place) -> float:
    """Return for how many seconds clients may remember that there is HTTP/3."""
    return seconds(setting.max_age, place.at("maxAge"))


def compile_request_id(setting: RequestID, place: Place) -> str:
    """Return the name of the response header."""
    if not header_names.is_name(setting.header) or setting.header.startswith(":"):
        raise place.at("header").invalid(f"{setting.header!r} is no header name")
    return setting.header.lower()


def compile_access_log(setting: PolicyAccessLog, place: Place) -> ir.LogChoice:
    """Return the log, which has to be one of the gateway's."""
    known = place.view.settings.access_logs
    if setting.name and setting.name not in known:
        names = ", ".join(sorted(known)) or "none"
        text = f'the GatewayConfig has no log "{setting.name}"; its accessLogs are: {names}'
        raise place.at("name").missing("AccessLogNotFound", text)
    return ir.LogChoice(name=setting.name, percent=setting.percent)
