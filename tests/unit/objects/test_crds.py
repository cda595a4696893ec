"""The CRDs of our own kinds: as recorded, and schemas that agree with what decoding accepts."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from isoline.objects import App, GatewayConfig, to_yaml
from isoline.objects.crds import crd_documents
from isoline.objects.formats import FORMATS

GOLDEN = Path(__file__).parents[2] / "golden" / "crds"
CRDS = {document["metadata"]["name"]: document for document in crd_documents()}


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = CRDS[name]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def nodes(node: dict[str, Any], path: str = "") -> Any:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if key in node:
            yield from nodes(node[key], path + mark)


@pytest.mark.parametrize("name", CRDS)
def test_it_is_as_recorded(name: str) -> None:
    """After a deliberate change: write `to_yaml(*crd_documents())`, document by document, to tests/golden/crds."""
    assert to_yaml(CRDS[name]) == (GOLDEN / f"{name}.yaml").read_text()


def test_nothing_recorded_is_out_of_date() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(CRDS)


@pytest.mark.parametrize("name", CRDS)
def test_it_is_a_structural_schema(name: str) -> None:
    """Kubernetes' rule: every node has a type, or says that it is an IntOrString or opaque."""
    for path, node in nodes(schema(name)):
        opaque = node.get("x-kubernetes-int-or-string") or node.get("x-kubernetes-preserve-unknown-fields")
        assert bool(node.get("type")) != bool(opaque), path
        assert not (node.get("properties") and node.get("additionalProperties")), path
        for required in node.get("required", ()):
            assert required in node["properties"], path


def test_every_field_of_ours_says_what_it_is() -> None:
    # The insides of these are Kubernetes' and HTTPProxy's own types, which their users know.
    foreign = re.compile(
        r"\.env\[\].|\.tolerations\[\].|\.probes\.\w+\.|\.conditions\[\].|\.defaultGlobalRateLimitPolicy\.|HeadersPolicy\.|Authorization\.|^\.metadata"
    )
    for name in CRDS:
        silent = [path for path, node in nodes(schema(name)) if "description" not in node and not foreign.search(path)]
        assert {path for path in silent if not path.endswith(("[]", "{}"))} <= {".apiVersion", ".kind"}


def test_scopes_subresources_and_columns() -> None:
    app, config = CRDS["apps.isoline.dev"]["spec"], CRDS["gatewayconfigs.isoline.dev"]["spec"]
    assert (app["scope"], config["scope"]) == ("Namespaced", "Cluster")
    assert app["versions"][0]["subresources"] == {"status": {}}
    columns = [column["name"] for column in app["versions"][0]["additionalPrinterColumns"]]
    assert columns == ["Phase", "Ready", "Address", "Version", "Profile", "Age"]


def test_columns_point_at_fields() -> None:
    for document in CRDS.values():
        paths = {path for path, _ in nodes(schema(document["metadata"]["name"]))} | {".metadata.creationTimestamp"}
        for column in document["spec"]["versions"][0]["additionalPrinterColumns"]:
            assert re.sub(r"\[\?\(.+\)\]", "[]", column["jsonPath"]) in paths


def test_defaults_and_limits_are_those_of_the_types() -> None:
    found = dict(nodes(schema("gatewayconfigs.isoline.dev")))
    assert found[".spec.limits.connections"]["default"] == 50000
    assert found[".spec.listeners.http.port"]["maximum"] == 65535
    assert found[".spec.paths.escapedSlashes"]["enum"][0] == "KeepUnchanged"
    assert found[".spec.paths.mergeSlashes"]["default"] is True
    assert "required" not in found[".spec"]
    app = dict(nodes(schema("apps.isoline.dev")))
    assert app[""]["required"] == ["metadata", "spec"]
    assert app[".spec.upgrade"]["required"] == ["source"]
    assert app[""]["description"] == App.__doc__
    assert GatewayConfig.__doc__ == found[""]["description"]


def test_it_is_yaml_that_others_read_the_same() -> None:
    assert list(yaml.safe_load_all(to_yaml(*CRDS.values()))) == list(CRDS.values())


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("duration", ["30s", "1h30m", ".5s", "infinity", "0"], ["5", "s", "", "-1s", "1d"]),
        ("quantity", ["500m", "16Gi", "1e3", "2", ".5"], ["16GB", "", "-1", "x"]),
        ("cidr", ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"], ["example.com", "", "10.0.0.0/"]),
        ("address", ["0.0.0.0", "::"], ["localhost", ""]),
        ("host", ["a.example.com", "*.example.com", "localhost"], ["a_b", "*", "a.*.b", "", "a..b"]),
        ("path", ["/", "/v1/"], ["v1", "", "/a b"]),
        ("schedule", ["30 3 * * *", "*/5 1-5 1,2 * MON", "@daily"], ["daily", "* * * *", ""]),
        ("name", ["a", "a-1"], ["A", "-a", "a.b", "", "a" * 64]),
    ],
)
def test_a_format_and_its_pattern_agree(name: str, good: list[str], bad: list[str]) -> None:
    checked = FORMATS[name]
    for text in good:
        checked.check(text)
        assert re.search(checked.pattern, text)
    for text in bad:
        with pytest.raises(ValueError, match=re.escape(f'"{text}"')):
            checked.check(text)
        assert not re.search(checked.pattern, text)
