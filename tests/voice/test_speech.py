"""The service in front of the engine, and the package as others import it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import isoline_voice
from isoline_voice.engines.embedded.pool import usable_cores
from isoline_voice.engines.protocol import SpeechRequest
from isoline_voice.speech import SpeechService
from isoline_voice.styles import parse_style


async def test_the_service_speaks_with_the_embedded_engine_unless_it_is_given_another() -> None:
    service = SpeechService(workers=1)
    assert service.engine == "embedded"
    assert not (await service.ready()).ok
    await service.start()
    try:
        assert (await service.ready()).ok
        assert service.voices()[0].engine == "embedded"
        assert not service.capabilities.cloning
        speech = await service.speak(SpeechRequest("你好，世界", style=parse_style("用四川话大声读出来")))
        audio = b"".join([piece async for piece in speech.pieces])
        assert len(audio) > speech.rate
        assert [warning.to_json()["code"] for warning in speech.warnings] == ["dialect_unsupported"]
        assert service.stats().utterances == 1
    finally:
        await service.stop()


async def test_there_is_a_worker_for_each_core_unless_told() -> None:
    service = SpeechService()
    await service.start()
    assert service.stats().workers == usable_cores()
    await service.stop()
    assert service.stats().workers == 0


def test_importing_the_styles_costs_no_numpy_and_no_web_server() -> None:
    source = str(Path(isoline_voice.__file__).parents[1])
    program = f"import sys; sys.path.insert(0, {source!r}); import isoline_voice.styles; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout.split()
    assert not {"numpy", "av", "fastapi", "torch", "soxr"} & set(modules)
