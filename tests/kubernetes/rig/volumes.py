"""What a pod's volumes and environment hold, as folders, files and variables."""

import base64
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .api import Api, ApiError, Object

_TOKEN_SECONDS: Final = 3600


class NotThereError(Exception):
    """What a pod refers to is not there yet; the pod waits, as it does in a cluster."""


async def fill(api: Api, pod: Object, volume: Object, folder: Path) -> Path:
    """Return the folder that is the volume, with what it holds today. Raises NotThereError."""
    namespace = pod["metadata"]["namespace"]
    if "hostPath" in volume:
        return Path(volume["hostPath"]["path"])
    if "persistentVolumeClaim" in volume:
        claim = volume["persistentVolumeClaim"]["claimName"]
        kept: Path = folder.parents[2] / "claims" / namespace / claim
        kept.mkdir(parents=True, exist_ok=True)
        return kept
    files: dict[str, bytes] = {}
    for source in volume["projected"]["sources"] if "projected" in volume else [volume]:
        files |= await _files(api, pod, source)
    folder.mkdir(parents=True, exist_ok=True)
    if "emptyDir" not in volume:
        _write(folder, files)
    return folder


async def variables(api: Api, pod: Object, container: Object, address: str) -> dict[str, str]:
    """Return the environment that the container declares, `$(NAME)` expanded. Raises NotThereError."""
    namespace = pod["metadata"]["namespace"]
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        kind = "Secret" if "secretRef" in source else "ConfigMap"
        reference = source.get("secretRef") or source["configMapRef"]
        content = await _content(api, kind, reference["name"], namespace, optional=reference.get("optional", False))
        found |= {source.get("prefix", "") + key: value.decode() for key, value in content.items()}
    for each in container.get("env", ()):
        if "valueFrom" in each:
            value = await _value(api, pod, each["valueFrom"], address)
            if value is not None:
                found[each["name"]] = value
        else:
            found[each["name"]] = expanded(each.get("value", ""), found)
    return found


def expanded(text: str, known: Mapping[str, str]) -> str:
    """Return `text` with `$(NAME)` replaced where the name is known; `$$` is a dollar sign."""
    return re.sub(r"\$\$|\$\(([^()]+)\)", lambda each: "$" if each[1] is None else known.get(each[1], each[0]), text)


async def _files(api: Api, pod: Object, source: Object) -> dict[str, bytes]:
    namespace = pod["metadata"]["namespace"]
    if "serviceAccountToken" in source:
        wanted = source["serviceAccountToken"]
        seconds = max(600, wanted.get("expirationSeconds", _TOKEN_SECONDS))
        account = pod["spec"].get("serviceAccountName", "default")
        return {wanted["path"]: (await api.token(account, namespace=namespace, seconds=seconds)).encode()}
    if "downwardAPI" in source:
        items = source["downwardAPI"]["items"]
        return {each["path"]: _field(pod, each["fieldRef"]["fieldPath"], "").encode() for each in items}
    for key, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
        if key in source:
            wanted = source[key]
            name = wanted.get("secretName") or wanted["name"]
            content = await _content(api, kind, name, namespace, optional=wanted.get("optional", False))
            items = wanted.get("items")
            return {each["path"]: content[each["key"]] for each in items} if items else content
    return {}


async def _value(api: Api, pod: Object, source: Object, address: str) -> str | None:
    for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        if key in source:
            wanted = source[key]
            optional = wanted.get("optional", False)
            content = await _content(api, kind, wanted["name"], pod["metadata"]["namespace"], optional=optional)
            if wanted["key"] in content:
                return content[wanted["key"]].decode()
            if optional:
                return None
            raise NotThereError(f"{kind} {wanted['name']} has no key {wanted['key']}")
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"], address)
    return "0"  # resourceFieldRef: nothing is limited here


def _field(pod: Object, path: str, address: str) -> str:
    addresses = {"status.podIP": address, "status.podIPs": address, "status.hostIP": "10.200.0.1"}
    if path in addresses:
        return addresses[path]
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if keyed:
        return str(pod["metadata"].get(keyed[1], {}).get(keyed[2], ""))
    found: Any = pod
    for step in path.split("."):
        found = found.get(step, {})
    return str(found or "")


async def _content(api: Api, kind: str, name: str, namespace: str, *, optional: bool) -> dict[str, bytes]:
    try:
        found = await api.get(kind, name, namespace=namespace)
    except ApiError as error:
        if error.status == 404 and optional:
            return {}
        if error.status == 404:
            raise NotThereError(f'{kind.lower()} "{name}" not found') from error
        raise
    if kind == "Secret":
        return {key: base64.b64decode(value) for key, value in found.get("data", {}).items()}
    binary = {key: base64.b64decode(value) for key, value in found.get("binaryData", {}).items()}
    return {key: value.encode() for key, value in found.get("data", {}).items()} | binary


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what has changed, each file aside and renamed, as a reader may be at it."""
    for path in folder.iterdir():
        if path.name not in {name.split("/")[0] for name in files}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, content in files.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}.new")
            aside.write_bytes(content)
            aside.rename(path)
