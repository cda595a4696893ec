"""What `isoline up` shows: where everything is, what happens, one line each, and never a stack trace."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from isoline.cluster.events import RETAINED_EVENTS, Event
from isoline.cluster.state import DEFAULT_FOLDER
from isoline.objects import App, HTTPProxy, Key
from isoline.version import VERSION

if TYPE_CHECKING:
    from isoline.cli.one_machine import OneMachine

LABEL_WIDTH = 10
PATIENCE_SECONDS = 60.0
STATE_STYLE = {"Ready": "green", "valid": "green", "Failed": "red", "Degraded": "yellow", "invalid": "red"}


class _Terminal(Console):
    """Whoever stops reading the screen does not stop what is being served."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        # Else the interpreter complains when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


class Screen:
    """Writes to the terminal. Long lines are not wrapped: an address or a command must stay in one piece."""

    def __init__(self) -> None:
        self._out = _Terminal(highlight=False, soft_wrap=True)
        self._errors = _Terminal(stderr=True, highlight=False, soft_wrap=True)

    def problem(self, text: str) -> None:
        self._errors.print(f"[bold red]isoline:[/] {escape(text)}")

    def begin(self, machine: "OneMachine") -> None:
        directory = machine.options.directory
        manifests = f"   manifests {_shown(directory)} (watched)" if directory is not None else ""
        self.line("Isoline", f"{VERSION}   state {_shown(machine.options.state)}{manifests}")

    def ending(self, seconds: float) -> None:
        self.line("Stopping", f"requests in flight get {seconds:g} s; Ctrl-C again leaves the rest to `isoline down`")

    def ended(self) -> None:
        self.line("Stopped", "what was stored stays in the state folder")

    async def tell(self, machine: "OneMachine") -> None:
        """Shows what happens, and the summary when everything is ready for the first time, until cancelled."""
        ports = machine.ports
        self.line("Ports", f"https {ports.https}, http {ports.http}" + (f" ({ports.why})" if ports.why else ""))
        if machine.settings.self_signed:
            self.line("TLS", "missing certificates come from this machine's own CA (tls.selfSigned): isoline trust")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_events(machine))
            group.create_task(self._tell_ready(machine))

    async def _tell_events(self, machine: "OneMachine") -> None:
        shown: dict[tuple[Key, str, str], float] = {}
        async for event in machine.source.events.follow():
            # What only repeats is counted by the log, and said by `describe`.
            identity = (event.about, event.reason, event.message)
            if shown.pop(identity, None) != event.first_seen:
                self._event(event)
            shown[identity] = event.first_seen
            if len(shown) > RETAINED_EVENTS:
                del shown[next(iter(shown))]

    async def _tell_ready(self, machine: "OneMachine") -> None:
        store = machine.store
        end = time.monotonic() + PATIENCE_SECONDS
        position = store.position
        while not _settled(machine) and time.monotonic() < end:
            try:
                async with asyncio.timeout(end - time.monotonic()):
                    position = (await anext(store.follow(position)))[-1].position
            except TimeoutError:
                break
        self._summary(machine)

    def _summary(self, machine: "OneMachine") -> None:
        self._out.print()
        for line in _app_lines(machine):
            self.line(*line)
        for label, text in _site_lines(machine):
            self.line(label, text)
        state = machine.options.state.absolute()
        option = "" if state == DEFAULT_FOLDER.absolute() else f" --state {_shown(state)}"
        isoline = _command()
        name = next((app.metadata.name for app in _apps(machine)), None)
        if name is None and not _sites(machine):
            where = machine.options.directory
            into = f"put it into {_shown(where)}, or " if where is not None and where.is_dir() else ""
            self.line("Nothing", f"is served before there is a manifest: {into}`{isoline} apply -f FILE{option}`")
        more = f" · {isoline} describe app {name}{option} · {isoline} logs -f {name}{option}" if name else ""
        self.line("Console", f"{isoline} get{option}{more}        Stop: Ctrl-C or `{isoline} down{option}`")
        self._out.print()

    def _event(self, event: Event) -> None:
        clock = datetime.fromtimestamp(event.last_seen).astimezone().strftime("%H:%M:%S")
        style = "yellow" if event.type == "Warning" else "dim"
        self._out.print(
            f"  [{style}]{clock}  {event.reason:<12} {escape(str(event.about))}: {escape(event.message)}[/]"
        )

    def line(self, label: str, text: str, style: str = "") -> None:
        told = f"[{style}]{escape(text)}[/]" if style else escape(text)
        self._out.print(f"  [bold]{label:<{LABEL_WIDTH}}[/]{told}")


def _apps(machine: "OneMachine") -> list[App]:
    return sorted((app for app in machine.store.of_kind("App") if isinstance(app, App)), key=lambda app: app.key)


def _sites(machine: "OneMachine") -> list[HTTPProxy]:
    """Roots that no App stands for."""
    return [
        proxy
        for proxy in machine.store.of_kind("HTTPProxy")
        if isinstance(proxy, HTTPProxy)
        and proxy.spec.virtualhost is not None
        and not any(owner.kind == "App" for owner in proxy.metadata.owner_references)
    ]


def _settled(machine: "OneMachine") -> bool:
    """Whether nothing is on its way any more: every App is ready or has failed, every site has been judged."""
    return all(app.status.phase in ("Ready", "Failed", "Pending") for app in _apps(machine)) and all(
        proxy.status.current_status != "NotReconciled" for proxy in _sites(machine)
    )


def _app_lines(machine: "OneMachine") -> Iterator[tuple[str, str, str]]:
    for app in _apps(machine):
        profile = machine.catalog.get(app.spec.profile or "")
        label = profile.label if profile is not None and profile.label else app.metadata.name
        status = app.status
        replicas = f"{status.ready_replicas} replica{'' if status.ready_replicas == 1 else 's'}"
        engine = f", {status.engine} engine" if status.engine else ""
        phase = status.phase or "Pending"
        yield label, f"{status.address}   {phase.lower()}   ({replicas}{engine})", STATE_STYLE.get(phase, "")
        if phase == "Ready" and profile is not None:
            ca = _shown(machine.state.ca_certificate)
            for hint, text in profile.hints.items():
                yield hint, text.format(ca=ca, address=status.address), ""
        for condition in status.conditions:
            if condition.status == "False" and phase != "Ready":
                yield "", f"{condition.reason}: {condition.message}", STATE_STYLE.get(phase, "")


def _site_lines(machine: "OneMachine") -> Iterator[tuple[str, str]]:
    sites = _sites(machine)
    for proxy in sites[:10]:
        root = proxy.spec.virtualhost
        assert root is not None
        secure = root.tls is not None and bool(root.tls.secret_name)
        port, usual = (machine.ports.https, 443) if secure else (machine.ports.http, 80)
        address = f"{'https' if secure else 'http'}://{root.fqdn.lower()}{'' if port == usual else f':{port}'}"
        status = proxy.status
        told = "" if status.current_status == "valid" else f": {status.description}"
        yield "Site", f"{address}   {status.current_status}{told}"
    if len(sites) > 10:
        yield "", f"and {len(sites) - 10} more: isoline get httpproxy"


def _command() -> str:
    """How this program is called from here: by its name only where the shell finds it."""
    program = Path(sys.argv[0])
    found = shutil.which("isoline")
    return "isoline" if found is not None and Path(found).samefile(program) else _shown(program)


def _shown(path: Path) -> str:
    """The path as one would type it here."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)
