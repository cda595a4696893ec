"""The program `isoline-voice`."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from isoline_voice.errors import VoiceError
from isoline_voice.settings import Settings
from isoline_voice.version import __version__

if TYPE_CHECKING:
    from isoline_voice.engines.protocol import Engine, Speech, SpeechRequest

DEFAULTS = Settings()

app = typer.Typer(
    help="The voice studio: text and a wish in your own words in, speech out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Workers = Annotated[
    int | None, typer.Option(min=1, help="Worker processes of the embedded engine.", show_default="one a core")
]

Configured = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="ISOLINE_VOICE_CONFIG", help="A TOML file; variables ISOLINE_VOICE_… go before it."
    ),
]


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(envvar="HOST", help="Address to listen at.", show_default=DEFAULTS.host)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(envvar="PORT", min=0, max=65535, help="0 takes a free one.", show_default=str(DEFAULTS.port)),
    ] = None,
    workers: Workers = None,
    grace: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds that running speech gets at a stop.", show_default=str(DEFAULTS.grace)),
    ] = None,
    engines: Annotated[Path | None, typer.Option(help="A TOML file of engines, the preferred one first.")] = None,
    state: Annotated[Path | None, typer.Option(help="The folder of voices, jobs and usage.")] = None,
    configuration: Configured = None,
) -> None:
    """Answer requests until SIGTERM or Ctrl-C."""
    # Only this command needs the web server; the others start without it.
    from isoline_voice.configuration import load
    from isoline_voice.server import run

    settings = load(configuration, os.environ, host=host, port=port, grace=grace, engines=engines, state=state)
    run(settings, workers=workers)


@app.command()
def config(
    configuration: Configured = None,
    check: Annotated[bool, typer.Option("--check", help="Also look at what it points to; changes nothing.")] = False,
) -> None:
    """Show the configuration that serve would use, with everything that is wrong with it."""
    from isoline_voice import configuration as configured

    settings = (configured.check if check else configured.load)(configuration, os.environ)
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        # No key, and no hash of one, is shown.
        shown = ", ".join(client.name for client in value) if field.name == "clients" else value
        sys.stdout.write(f"{field.name}: {shown}\n")


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="What to say; - reads it from standard input.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Its ending gives the format: wav mp3 opus aac flac pcm.")],
    how: Annotated[str, typer.Option(help="How to say it, in your own words.")] = "",
    voice: Annotated[str, typer.Option(help="A voice's id.")] = "alloy",
    speed: Annotated[float, typer.Option(help="0.25 to 4.")] = 1.0,
    configuration: Configured = None,
) -> None:
    """Speak into a file."""
    from isoline_voice.audio.encoders import check_format, make_encoder
    from isoline_voice.audio.provenance import provenance
    from isoline_voice.configuration import engines_of, load
    from isoline_voice.engines.protocol import SpeechRequest
    from isoline_voice.styles import parse_style

    audio_format = out.suffix.removeprefix(".").lower() or "wav"
    check_format(audio_format)  # before a long text is spoken for nothing
    spoken = sys.stdin.read() if text == "-" else text
    request = SpeechRequest(text=spoken, voice=voice, style=parse_style(how), speed=speed)
    settings = load(configuration, os.environ)
    pcm, speech = asyncio.run(_spoken(request, engines_of(settings)))
    metadata = provenance(speech.voice.engine) if settings.provenance else {}
    encoder = make_encoder(audio_format, speech.rate, length=len(pcm) // 2, metadata=metadata)
    out.write_bytes(encoder.feed(pcm) + encoder.finish())
    for warning in speech.warnings:
        sys.stderr.write(f"{warning.message(_language())}\n")
    sys.stderr.write(f"{out}: {len(pcm) / 2 / speech.rate:.2f} s, {speech.voice.id}\n")


async def _spoken(request: SpeechRequest, engine: Engine | None) -> tuple[bytes, Speech]:
    from isoline_voice.speech import SpeechService

    service = SpeechService(engine, workers=1)
    await service.start()
    try:
        speech = await service.speak(request)
        return b"".join([piece async for piece in speech.pieces]), speech
    finally:
        await service.stop()


@app.command()
def style(
    text: Annotated[str, typer.Argument(help="A wish in your own words; - reads one a line from standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, of eight fields.")] = False,
) -> None:
    """Show what the studio understands."""
    from isoline_voice.styles import canonical, describe, parse_style

    for line in _lines() if text == "-" else [text]:
        understood = parse_style(line)
        if as_json:
            sys.stdout.write(json.dumps(canonical(understood), ensure_ascii=False) + "\n")
            sys.stdout.flush()  # whoever asks line by line gets the answer before the next question
            continue
        console = Console()
        console.print(describe(understood, _language()), highlight=False)
        table = Table("field", "value")
        for field, value in understood.to_json().items():
            table.add_row(field, "\n".join(value) if isinstance(value, list) else str(value))
        console.print(table)


def _lines() -> Iterator[str]:
    """Standard input line by line; what is no UTF-8 in it is not understood, and no reason to stop."""
    for line in iter(sys.stdin.buffer.readline, b""):
        yield line.decode("utf-8-sig", errors="replace").rstrip("\r\n")


@app.command()
def fetch(
    folder: Annotated[Path, typer.Argument(help="Where the files of CosyVoice3 go.")],
    mirror: Annotated[
        str, typer.Option(help="modelscope, huggingface, or the URL of a server with Hugging Face's paths.")
    ] = "modelscope",
) -> None:
    """Download CosyVoice3, or what of it is not there yet; may be stopped and started again."""
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    from isoline_voice.models.download import Progress, download
    from isoline_voice.models.mirrors import mirror_of

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("CosyVoice3", total=None)

        def report(progress: Progress) -> None:
            bar.update(task, total=progress.total, completed=progress.done)

        asyncio.run(download(folder, mirror_of(mirror), report=report))
    sys.stdout.write(f"{folder} is whole; name it in ISOLINE_VOICE_MODEL\n")


@app.command()
def smoke(
    url: Annotated[str, typer.Argument(envvar="STAGING_URL", help="Where the studio answers.")],
    engine: Annotated[str | None, typer.Option(help="The engine that has to speak.", show_default="any")] = None,
    ready: Annotated[float, typer.Option(min=1, help="Seconds until it has to be ready.")] = 240.0,
) -> None:
    """Have a studio speak, and fail if nothing is heard."""
    from isoline_voice.smoke import smoke as asked

    sys.stdout.write(f"{asyncio.run(asked(url, engine=engine, ready=ready))}\n")


@app.command()
def version() -> None:
    """Print the version."""
    sys.stdout.write(f"{__version__}\n")


def _language() -> str:
    """The language of the user's terminal, for the sentences that the studio has in two."""
    return (os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en").split("_")[0]


def main() -> None:
    """Run the program; a mistake of the user's ends in one sentence and exit code 2, a failure of ours in 1."""
    from isoline_voice.errors import InvalidRequestError

    try:
        app()
    except VoiceError as error:
        told = error.message_zh if error.message_zh and _language().startswith("zh") else error.message
        sys.stderr.write(f"isoline-voice: {told}\n")
        sys.exit(2 if isinstance(error, InvalidRequestError) else 1)
    except OSError as error:
        sys.stderr.write(f"isoline-voice: {error.strerror or error}{f': {error.filename}' if error.filename else ''}\n")
        sys.exit(1)
