"""`isoline doctor`: looks at the machine and at what runs on it, and says what to do about what is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isoline.cli import checkup_gateway, checkup_machine
from isoline.cli.checkup import Finding, good, mind
from isoline.cli.client import Client
from isoline.cli.errors import FoundWrongError
from isoline.cli.output import say
from isoline.cluster.state import StateFolder
from isoline.console.wire import CertificateRecord, Listing, Summary

_MARKS = {"good": ("ok  ", "green"), "mind": ("mind", "yellow"), "bad": ("BAD ", "bold red")}


def doctor(state: Path) -> None:
    """Prints every finding. Raises FoundWrongError when something keeps Isoline from working."""
    wrong = 0
    for finding in findings(StateFolder(state)):
        mark, style = _MARKS[finding.verdict]
        say(f"{mark}  {finding.subject}: {finding.text}", style=style if finding.verdict != "good" else "")
        if finding.advice:
            say(f"      {finding.advice}")
        wrong += finding.verdict == "bad"
    if wrong:
        raise FoundWrongError(f"{wrong} thing{'' if wrong == 1 else 's'} to put right")


def findings(state: StateFolder) -> Iterator[Finding]:
    """Every check-up in turn; those of the running gateway only if there is one."""
    yield from checkup_machine.state_folder(state)
    yield from checkup_machine.disk(state)
    yield from checkup_machine.clock(state)
    yield from checkup_machine.envoy()
    yield from checkup_machine.graphics_cards()
    yield from checkup_machine.open_files()
    yield from checkup_machine.authority(state)
    if state.holder is None:
        yield mind("isoline", "does not run with this state folder", "start it with `isoline up`")
        yield from checkup_machine.leftovers(state)
        yield from checkup_machine.free_ports()
        return
    client = Client(state.path)
    summary = client.get("summary", Summary)
    yield good(
        "isoline", f"{summary.version} runs as pid {summary.pid}" + ("" if summary.ready else ", still starting")
    )
    yield from checkup_gateway.listeners(summary)
    yield from checkup_gateway.problems(client.get("problems", list[str]))
    yield from checkup_gateway.apps(_items(client, "app"))
    yield from checkup_gateway.certificates(client.get("certificates", list[CertificateRecord]))
    hosts = _hosts(client)
    if summary.https_port is not None:
        yield from checkup_gateway.names(hosts, summary.https_port)
        yield from checkup_gateway.handshakes(hosts, summary.https_port, state.ca_certificate)


def _hosts(client: Client) -> list[str]:
    roots: list[dict[str, Any]] = [item["spec"].get("virtualhost") or {} for item in _items(client, "httpproxy")]
    return sorted({root["fqdn"].lower() for root in roots if root.get("fqdn") and root.get("tls")})


def _items(client: Client, kind: str) -> list[dict[str, Any]]:
    (listing,) = client.get("objects", list[Listing], kind=kind)
    return listing.items
