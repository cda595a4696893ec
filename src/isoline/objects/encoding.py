"""Typed objects to JSON, to plain Python, and to YAML that every YAML reader understands alike."""

from typing import Any

import msgspec
import yaml
from yaml.nodes import ScalarNode

from isoline.objects.secrets import encode_hook
from isoline.objects.yaml_scalars import resolve_plain

_encoder = msgspec.json.Encoder(enc_hook=encode_hook, order="deterministic")


def encode(item: msgspec.Struct) -> bytes:
    """Return JSON, the same bytes for equal objects. Secrets are in it as they are."""
    return _encoder.encode(item)


def to_dict(item: msgspec.Struct) -> dict[str, Any]:
    """Return the object as plain dicts, lists and scalars with JSON field names. Secrets are in it as they are."""
    result: dict[str, Any] = msgspec.json.decode(encode(item))
    return result


def to_yaml(*items: msgspec.Struct | dict[str, Any]) -> str:
    """Return YAML, one document for each object or plain mapping. Secrets are in it as they are."""
    plain = [to_dict(item) if isinstance(item, msgspec.Struct) else item for item in items]
    return yaml.dump_all(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.CSafeDumper):
    """Quotes what Kubernetes would not read as a string, which PyYAML leaves plain (`y`, `1e3`)."""


def _represent_string(dumper: yaml.CSafeDumper, text: str) -> ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    style = None if isinstance(resolve_plain(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_string)
