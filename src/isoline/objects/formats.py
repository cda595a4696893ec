"""Strings with a meaning, in the kinds of our own: what each format allows, for decoding and for the CRDs."""

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

from msgspec import Meta

from isoline.objects.durations import parse_go_duration
from isoline.objects.quantities import parse_quantity

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
DNS_LABEL = re.compile(_LABEL)
DNS_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_ENDPOINT_HOST = rf"\[[0-9A-Fa-f:.]+\]|{_LABEL}(\.{_LABEL})*"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_CRON_RANGE = r"(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?"
_CRON_FIELD = rf"{_CRON_RANGE}(,{_CRON_RANGE})*"
_CRON = re.compile(rf"@(yearly|annually|monthly|weekly|daily|midnight|hourly)|{_CRON_FIELD}( {_CRON_FIELD}){{4}}")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.1."""


class Format(NamedTuple):
    """`check` raises ValueError with a complete sentence; `pattern` is what a CRD's schema can say of it."""

    check: Callable[[str], object]
    pattern: str


def _duration(text: str) -> None:
    if text != "infinity" and parse_go_duration(text) < 0:
        raise ValueError(f'"{text}" is negative')


def _quantity(text: str) -> None:
    if parse_quantity(text) < 0:
        raise ValueError(f'"{text}" is negative')


def _cidr(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f'"{text}" is neither an address nor a network; write one such as "192.0.2.7" or "10.0.0.0/8"'
        ) from None


def _address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f'"{text}" is no IP address; write one such as "0.0.0.0", "127.0.0.1" or "::"') from None


def _host(text: str) -> None:
    if len(text) > 253 or not _HOST.fullmatch(text.lower()):
        raise ValueError(f'"{text}" is no host name; write one such as "voice.example.com" or "*.example.com"')


def _path(text: str) -> None:
    if not text.startswith("/") or re.search(r"\s", text):
        raise ValueError(f'"{text}" is no path; a path starts with "/" and has no spaces')


def _endpoint(text: str) -> None:
    host, _, port = text.rpartition(":")
    valid = re.fullmatch(_ENDPOINT_HOST, host) and re.fullmatch(r"[0-9]{1,5}", port)
    if not valid or not 1 <= int(port) <= 65535:
        raise ValueError(f'"{text}" is no endpoint; write host:port, such as "127.0.0.1:4317" or "[::1]:4317"')


def _cron(text: str) -> None:
    if not _CRON.fullmatch(text):
        raise ValueError(f'"{text}" is no schedule; write five cron fields such as "30 3 * * *", or "@daily"')


def _name(text: str) -> None:
    if not DNS_LABEL.fullmatch(text):
        raise ValueError(
            f'"{text}" is no name; use at most 63 of a-z, 0-9 and "-", and begin and end with a letter or digit'
        )


FORMATS = {
    "duration": Format(
        _duration,
        r"^(infinity|0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*)$",
    ),
    "quantity": Format(_quantity, r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3}|[numkMGTPE]|[KMGTPE]i)?$"),
    "cidr": Format(_cidr, r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"),
    "address": Format(_address, r"^[0-9A-Fa-f:.]+$"),
    "host": Format(
        _host, r"^(\*\.)?[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$"
    ),
    "endpoint": Format(_endpoint, r"^(\[[0-9A-Fa-f:.]+\]|[-a-z0-9.]+):[0-9]{1,5}$"),
    "path": Format(_path, r"^/\S*$"),
    "schedule": Format(_cron, r"^(@[a-z]+|\S+( \S+){4})$"),
    "name": Format(_name, r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"),
}

Natural = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Duration = Annotated[str, Meta(extra={"format": "duration"})]
Quantity = Annotated[str, Meta(extra={"format": "quantity"})] | Natural
CIDR = Annotated[str, Meta(extra={"format": "cidr"})]
Address = Annotated[str, Meta(extra={"format": "address"})]
Endpoint = Annotated[str, Meta(extra={"format": "endpoint"})]
Host = Annotated[str, Meta(extra={"format": "host"})]
Path = Annotated[str, Meta(extra={"format": "path"})]
Schedule = Annotated[str, Meta(extra={"format": "schedule"})]
Name = Annotated[str, Meta(extra={"format": "name"})]
Port = Annotated[int, Meta(ge=1, le=65535)]
