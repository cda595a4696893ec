"""The chart's files agree with each other, with the kinds that the code knows, and with docs/install.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from isoline.envoy.remote import SERVER_NAMES
from isoline.objects.crds import crd_documents
from isoline.version import VERSION

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "isoline"
PAGE = (ROOT / "docs" / "install.md").read_text()
SECTIONS = {
    "namespaces": "Control plane, in the namespaces that it follows",
    "cluster": "Control plane, beyond namespaces",
    "home": "Control plane, in its own namespace",
    "certificates": "Job `certificates`, in that namespace",
    "definitions": "Job `definitions`, beyond namespaces",
}

Tree = dict[str, Any]


def values() -> Tree:
    loaded: Tree = yaml.safe_load((CHART / "values.yaml").read_text())
    return loaded


def schema() -> Tree:
    loaded: Tree = json.loads((CHART / "values.schema.json").read_text())
    return loaded


def leaves(shape: Tree, tree: Tree, path: str = "") -> Iterator[tuple[str, Tree, Any]]:
    """Path, shape and default of each value; an object that holds whatever its user likes is one value."""
    for name, part in shape["properties"].items():
        if "properties" in part:
            yield from leaves(part, tree[name], f"{path}{name}.")
        elif name in tree:
            yield f"{path}{name}", part, tree[name]


def names(shape: Tree, path: str = "") -> set[str]:
    return {f"{path}{name}" for name in shape.get("properties", {})} | {
        deeper for name, part in shape.get("properties", {}).items() for deeper in names(part, f"{path}{name}.")
    }


def test_the_chart_is_of_the_version_that_it_installs() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["appVersion"], chart["version"]) == (VERSION, VERSION)


def test_our_definitions_are_in_it_and_may_be_brought_up_to_date() -> None:
    ours = sorted(each["metadata"]["name"] for each in crd_documents())
    assert sorted(path.stem for path in (CHART / "crds").glob("*.isoline.dev.yaml")) == ours
    (rule,) = yaml.safe_load((CHART / "rights.yaml").read_text())["definitions"]
    assert sorted(rule["resourceNames"]) == ours


def test_the_schema_knows_every_value_and_says_what_it_is_for() -> None:
    def given(tree: Tree, path: str = "") -> set[str]:
        deeper = [given(part, f"{path}{name}.") for name, part in tree.items() if isinstance(part, dict)]
        return {f"{path}{name}" for name in tree}.union(*deeper)

    # Resources of containers have defaults, and may be anything that Kubernetes takes.
    known = names(schema()) - {"global"}
    assert {each for each in given(values()) if ".resources." not in each} == known
    assert all(part["description"] for _, part, _ in leaves(schema(), values()))


def test_the_page_has_a_line_for_each_value() -> None:
    missing = [line for line in value_lines() if line not in PAGE]
    assert not missing, "docs/install.md lacks:\n" + "\n".join(missing)


def value_lines() -> list[str]:
    found = leaves(schema(), values())
    return [f"| `{path}` | {shown(default)} | {part['description']} |" for path, part, default in found]


def shown(default: Any) -> str:
    return (
        "" if default in ("", {}, []) else f"`{json.dumps(default)}`" if isinstance(default, dict) else f"`{default}`"
    )


def test_the_page_has_a_line_for_each_right() -> None:
    missing = [line for line in right_lines() if line not in PAGE]
    assert not missing, "docs/install.md lacks:\n" + "\n".join(missing)


def right_lines() -> list[str]:
    lines = []
    for section, rules in yaml.safe_load((CHART / "rights.yaml").read_text()).items():
        lines.append(f"**{SECTIONS[section]}**")
        for rule in rules:
            (group,) = rule["apiGroups"]
            resources = ", ".join(f"`{each}`" for each in rule["resources"])
            named = (
                f" named {', '.join(f'`{each}`' for each in rule['resourceNames'])}" if "resourceNames" in rule else ""
            )
            where = f" of `{group}`" if group else ""
            lines.append(f"| {resources}{where}{named} | {', '.join(rule['verbs'])} | {rule['why']} |")
    return lines


def test_certificates_of_ones_own_are_for_the_name_that_envoys_look_for() -> None:
    described = schema()["properties"]["certificates"]["properties"]["controlPlaneSecret"]["description"]
    assert f'"{SERVER_NAMES[0]}"' in described
