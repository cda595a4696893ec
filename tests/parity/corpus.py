"""The objects that both are given, and what stands behind their Services.

Files of `corpus/` hold manifests as users write them, but for two things. A value such as `@certificate:a.example` of a
Secret's data stands for a certificate made for this run (see `certificates`). And every Service gets one endpoint, an
echo of ours, unless `parity/endpoints: none` is among its annotations. What has `parity/created: later` among them is
created after all else.
"""

import base64
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from .certificates import made

Object = dict[str, Any]

FOLDER: Final = Path(__file__).parent / "corpus"


class Ports(NamedTuple):
    """Where the echo answers, at each address: in plain, and by TLS."""

    plain: int
    tls: int


DEFAULT_PORTS: Final = Ports(18080, 18443)


class Backend(NamedTuple):
    """An address at which the echo answers as a Service."""

    service: str
    address: str
    tls: bool


class Corpus(NamedTuple):
    """`objects` in the order of the files, each with its namespace and with EndpointSlices for the backends."""

    objects: tuple[Object, ...]
    backends: tuple[Backend, ...]

    @property
    def namespaces(self) -> list[str]:
        """Every namespace that an object is in."""
        return sorted({each["metadata"]["namespace"] for each in self.objects})

    @property
    def at_first(self) -> list[Object]:
        """What is there before the gateway is."""
        return [each for each in self.objects if not _is_late(each)]

    @property
    def later(self) -> list[Object]:
        """What is younger than all else."""
        return [each for each in self.objects if _is_late(each)]

    def of_kind(self, *kinds: str) -> list[Object]:
        """Return the objects of some kinds."""
        return [each for each in self.objects if each["kind"] in kinds]


def load(*, network: str = "10.200", ports: Ports = DEFAULT_PORTS) -> Corpus:
    """Return the whole corpus, with backends at `<network>.x.y`."""
    objects: list[Object] = []
    backends: list[Backend] = []
    for item in _documents():
        objects.append(item)
        if item["kind"] != "Service" or item["spec"].get("type") == "ExternalName":
            continue
        annotations = item["metadata"].get("annotations", {})
        if annotations.get("parity/endpoints") == "none":
            continue
        metadata = item["metadata"]
        address = f"{network}.{100 + len(backends) // 200}.{1 + len(backends) % 200}"
        tls = annotations.get("parity/serves") == "tls"
        backends.append(Backend(f"{metadata['namespace']}/{metadata['name']}", address, tls))
        objects.append(_slice(item, address, ports.tls if tls else ports.plain))
    return Corpus(tuple(objects), tuple(backends))


def name_of(item: Object) -> str:
    """Return `Kind namespace/name`."""
    metadata = item["metadata"]
    return f"{item['kind']} {metadata['namespace']}/{metadata['name']}"


def _is_late(item: Object) -> bool:
    return (item["metadata"].get("annotations") or {}).get("parity/created") == "later"


def _documents() -> Iterator[Object]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for item in yaml.safe_load_all(path.read_text()):
            if item:
                # A file is a world of its own: its objects are in the namespace of its name unless they say otherwise.
                item["metadata"].setdefault("namespace", path.stem)
                if item["kind"] == "Secret":
                    item["data"] = {key: _content(str(value)) for key, value in item.get("data", {}).items()}
                yield item


@functools.cache
def _content(text: str) -> str:
    content = made(text.removeprefix("@")) if text.startswith("@") else text.encode()
    return base64.b64encode(content).decode()


def _slice(service: Object, address: str, port: int) -> Object:
    metadata = service["metadata"]
    ports = [
        {"name": each.get("name", ""), "port": port, "protocol": each.get("protocol", "TCP")}
        for each in service["spec"]["ports"]
    ]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{metadata['name']}-1",
            "namespace": metadata["namespace"],
            "labels": {"kubernetes.io/service-name": metadata["name"]},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": ports,
    }
