"""The catalog: profiles by name and by image, and what is said of a broken entry."""

import pytest

from isoline.apps.catalog import Catalog, CatalogError, load_catalog, read_profile

PROFILE = b"""
name: sketch
title: Sketch
images: [sketch, "sketch:*", "ghcr.io/sketch/*"]
image: sketch:1
command: [sketch, serve]
port: 5000
"""
SKETCH = Catalog([read_profile(PROFILE, source="sketch.yaml")])


def test_every_entry_that_is_shipped_can_be_read() -> None:
    assert load_catalog().names == ["cosyvoice", "voice"]


@pytest.mark.parametrize(
    "image", ["cosyvoice3", "cosyvoice3:latest", "cosyvoice3:2.1", "docker.io/library/cosyvoice3:1"]
)
def test_the_images_of_the_tutorials_mean_the_studio(image: str) -> None:
    profile = load_catalog().profile_for_image(image)

    assert profile is not None
    assert profile.name == "voice"
    assert profile.command == ("isoline-voice", "serve")


@pytest.mark.parametrize(
    ("image", "known"),
    [
        ("sketch:7", True),
        ("sketch@sha256:0123", True),
        ("ghcr.io/sketch/web:2", True),
        ("sketch-pad", False),
        ("evil.example.com/sketch", False),
        ("", False),
    ],
)
def test_an_image_is_found_by_the_patterns_of_a_profile(image: str, known: bool) -> None:
    assert (SKETCH.profile_for_image(image) is not None) == known


@pytest.mark.parametrize(("word", "meant"), [("voise", "voice"), ("cosyvoise", "cosyvoice"), ("database", None)])
def test_a_misspelt_name_leads_to_the_one_that_is_meant(word: str, meant: str | None) -> None:
    assert load_catalog().closest(word) == meant


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (PROFILE + b"colour: red\n", "colour"),
        (PROFILE.replace(b"5000", b"0"), "port"),
        (PROFILE.replace(b"[sketch, serve]", b"[]"), "command"),
        (b"name: [", "sketch.yaml"),
    ],
)
def test_a_broken_entry_is_refused_with_its_file_and_field(entry: bytes, told: str) -> None:
    with pytest.raises(CatalogError, match=rf"sketch\.yaml.*{told}|{told}"):
        read_profile(entry, source="sketch.yaml")
