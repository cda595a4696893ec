"""The catalog: a profile a file, found by name or by the image that means it."""

import difflib
import fnmatch
from collections.abc import Iterable
from functools import cache
from importlib import resources

import msgspec
import yaml

from isoline.apps.profile import Profile

_DEFAULT_REGISTRIES = ("docker.io/library/", "docker.io/", "index.docker.io/library/")


class CatalogError(ValueError):
    """A catalog entry that cannot be used; the message names the file and the field."""


class Catalog:
    """Profiles by name and by image."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self._profiles = {profile.name: profile for profile in profiles}

    @property
    def names(self) -> list[str]:
        """Every profile's name, sorted."""
        return sorted(self._profiles)

    def get(self, name: str) -> Profile | None:
        """The profile of that name; None if there is none."""
        return self._profiles.get(name)

    def closest(self, name: str) -> str | None:
        """The name that a misspelt one probably means."""
        found = difflib.get_close_matches(name, [*self._profiles, *self._images()], n=1, cutoff=0.6)
        if not found:
            return None
        return found[0] if found[0] in self._profiles else self._images()[found[0]]

    def profile_for_image(self, image: str) -> Profile | None:
        """The profile that an image reference means, whether or not it names the default registry or a digest."""
        reference = image.partition("@")[0]
        for prefix in _DEFAULT_REGISTRIES:
            reference = reference.removeprefix(prefix)
        for profile in self._profiles.values():
            if any(fnmatch.fnmatchcase(reference, pattern) for pattern in profile.images):
                return profile
        return None

    def _images(self) -> dict[str, str]:
        """People often name an app as its image is called."""
        return {image: profile.name for profile in self._profiles.values() for image in profile.images}


@cache
def load_catalog() -> Catalog:
    """Return the catalog that is shipped. Raises CatalogError for an entry that breaks the schema."""
    files = sorted(
        (file for file in resources.files(__name__).iterdir() if file.name.endswith(".yaml")),
        key=lambda file: file.name,
    )
    return Catalog(read_profile(file.read_bytes(), source=file.name) for file in files)


def read_profile(document: bytes, *, source: str) -> Profile:
    """Return the profile in a YAML document. Raises CatalogError."""
    try:
        return msgspec.convert(yaml.load(document, yaml.CSafeLoader), Profile)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise CatalogError(f"{source}: {error}") from error
