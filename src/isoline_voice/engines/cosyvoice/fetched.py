"""CosyVoice3 whose files are still to come: they are downloaded while other engines speak."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from isoline_voice.engines.cosyvoice.engine import CosyVoiceEngine
from isoline_voice.engines.protocol import Health, Speech, SpeechRequest
from isoline_voice.engines.recorded import RecordedVoice
from isoline_voice.errors import EngineUnavailableError, VoiceError
from isoline_voice.models.download import Progress, download
from isoline_voice.models.files import missing
from isoline_voice.models.mirrors import Mirror

log = logging.getLogger(__name__)

AGAIN_SECONDS = 60.0
"""How long after a download that failed the next is begun; what has come stays."""
TOLD_SHARE = 0.05
"""How much has to come until the log tells it."""


class FetchedCosyVoice(CosyVoiceEngine):
    """The model in `folder`, brought there from `mirror` if it is not whole; until then the engine is not ready."""

    def __init__(
        self,
        folder: str,
        voices: Sequence[RecordedVoice] = (),
        *,
        mirror: Mirror,
        environment: dict[str, str] | None = None,
        again: float = AGAIN_SECONDS,
    ) -> None:
        super().__init__(folder, voices, environment=environment)
        self._folder = Path(folder)
        self._mirror = mirror
        self._again = again
        self._fetching: asyncio.Task[None] | None = None
        self._trouble = ""
        self._told = 0.0

    async def start(self) -> None:
        """Begin to download, or to load what is there; `health` tells how far it is."""
        if not missing(self._folder):
            await super().start()
        elif self._fetching is None:
            self._trouble = "the model is being looked for"
            self._fetching = asyncio.create_task(self._fetch())

    async def stop(self) -> None:
        """Stop downloading; the next start goes on where it was."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
            self._fetching = None
        await super().stop()

    async def health(self) -> Health:
        """Not ready, with how far the download is, until the model is loaded."""
        return Health(False, self._trouble) if self._trouble else await super().health()

    async def speak(self, request: SpeechRequest) -> Speech:
        """As the model's; EngineUnavailableError while it is not there."""
        if self._trouble:
            raise EngineUnavailableError(f"CosyVoice3 is not ready: {self._trouble}.", retry_after=self._again)
        return await super().speak(request)

    async def _fetch(self) -> None:
        while True:
            try:
                await download(self._folder, self._mirror, report=self._report)
                await super().start()
            except VoiceError as error:
                self._trouble = f"{error.message.rstrip('.')}; it is tried again in {self._again:.0f} s"
                log.warning("the model did not come: %s", self._trouble)
            else:
                log.info("the model is whole, and is being loaded")
                self._trouble = ""
                return
            await asyncio.sleep(self._again)

    def _report(self, progress: Progress) -> None:
        self._trouble = f"{progress.share:.0%} of {progress.total / 1e9:.2f} GB of the model have come"
        if progress.share >= self._told + TOLD_SHARE:
            self._told = progress.share
            log.info("%s", self._trouble)
