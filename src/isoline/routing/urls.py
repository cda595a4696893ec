"""Addresses of servers that objects name."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?")
_LONGEST_HOST = 253
PORTS = {"http": 80, "https": 443}
"""The ports that a URL means which names none."""


class Url(NamedTuple):
    """Where a URL leads."""

    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        return self.scheme == "https"


def parse_url(text: str) -> Url | str:
    """Return where an http or https URL leads, or why it leads nowhere."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in PORTS:
        return f'"{parts.scheme}" is neither http nor https'
    if not (text.isascii() and text.isprintable()) or " " in text or "@" in parts.netloc or not is_host(host):
        return f"{text!r} leads to no host; write one such as https://login.example.com/token"
    if port == 0:
        return "0 is no port"
    return Url(parts.scheme, host, port or PORTS[parts.scheme])


def is_address(host: str) -> bool:
    """Return whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_host(host: str) -> bool:
    """Return whether something can be reached under this text, a name or an IP address."""
    return is_address(host) or (len(host) <= _LONGEST_HOST and _HOST.fullmatch(host) is not None)
