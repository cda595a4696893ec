"""A container's environment and `$(VAR)`, rule by rule."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoline.controllers.workloads.environment import Environment, Facts, Sources, Values, expand, resolve
from isoline.objects import Deployment, SecretValue
from isoline.objects.workloads import Container
from unit.controllers.support import manifest

KNOWN = {"A": "1", "B": "two", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)z", "x1ytwoz"),
        ("$(EMPTY)", ""),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$$$$(A)", "$$(A)"),
        ("$A ${A}", "$A ${A}"),
        ("$(A", "$(A"),
        ("a$", "a$"),
        ("$", "$"),
        ("$()", "$()"),
        ("$(A$(B))", "$(A$(B))"),
        ("100$ and $(A)", "100$ and 1"),
        ("", ""),
    ],
)
def test_references_expand_as_in_kubernetes(text: str, result: str) -> None:
    assert expand(text, KNOWN) == result


@given(st.text(alphabet="ab $()A"))
def test_without_known_variables_only_doubled_dollars_change(text: str) -> None:
    assert expand(text, {}).count("$") <= text.count("$")
    assert expand(text.replace("$", ""), {}) == text.replace("$", "")


@given(st.text())
def test_doubling_every_dollar_protects_any_text(text: str) -> None:
    assert expand(text.replace("$", "$$"), KNOWN) == text


def container(fields: str) -> Container:
    found = manifest(
        f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d}}
spec:
  selector: {{matchLabels: {{app: d}}}}
  template:
    metadata: {{labels: {{app: d}}}}
    spec:
      containers:
      - {{name: c, image: isoline.dev/host, {fields}}}
""",
        Deployment,
    )
    return found.spec.template.spec.containers[0]


SECRETS: Mapping[str, Values] = {"keys": {"token": SecretValue(b"s3cret"), "not a name": SecretValue(b"x")}}
CONFIG: Mapping[str, Values] = {"settings": {"colour": b"red", "size": b"$(A)"}}


def resolved(fields: str, given: Mapping[str, str] | None = None) -> Environment:
    sources = Sources(
        facts=Facts(name="d-1", namespace="shop", uid="u-1", labels={"app": "d"}, node="host"),
        config_map=CONFIG.get,
        secret=SECRETS.get,
        resource=lambda name, resource, divisor: f"{name or 'own'}:{resource}/{divisor}",
    )
    return resolve(container(fields), sources, given=given or {})


def test_later_variables_see_earlier_ones_and_not_the_other_way_round() -> None:
    env = "env: [{name: A, value: '$(B)'}, {name: B, value: b}, {name: C, value: '$(B)$(GIVEN)'}]"

    assert resolved(env, {"GIVEN": "!"}).variables == {"GIVEN": "!", "A": "$(B)", "B": "b", "C": "b!"}


def test_env_beats_env_from_and_a_later_source_an_earlier_one() -> None:
    fields = (
        "envFrom: [{configMapRef: {name: settings}}, {prefix: K_, secretRef: {name: keys}}], "
        "env: [{name: colour, value: blue}]"
    )

    # `size` is not expanded: only env values are. A key that is no variable name is left out.
    assert resolved(fields).variables == {"colour": "blue", "size": "$(A)", "K_token": "s3cret"}


def test_the_port_that_a_replica_was_given_beats_the_one_in_the_manifest() -> None:
    fields = "env: [{name: PORT, value: '7860'}, {name: URL, value: 'http://$(HOST):$(PORT)'}]"

    env = resolved(fields, {"PORT": "20001", "HOST": "127.0.0.1"}).variables

    assert env["PORT"] == "20001"
    assert env["URL"] == "http://127.0.0.1:20001"


def test_a_secrets_value_arrives_as_it_is_and_not_redacted() -> None:
    env = resolved("env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}]")

    assert env.variables == {"TOKEN": "s3cret"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "d-1"),
        ("metadata.namespace", "shop"),
        ("metadata.labels['app']", "d"),
        ("metadata.annotations['none']", ""),
        ("status.podIP", "127.0.0.1"),
        ("spec.nodeName", "host"),
    ],
)
def test_a_pod_can_ask_about_itself(path: str, value: str) -> None:
    env = resolved(f'env: [{{name: X, valueFrom: {{fieldRef: {{fieldPath: "{path}"}}}}}}]')

    assert env.variables == {"X": value}


def test_a_resource_field_is_asked_for_with_its_divisor() -> None:
    env = resolved("env: [{name: X, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}]")

    assert env.variables == {"X": "own:limits.memory/1Mi"}


def test_every_missing_source_is_told_at_once_and_an_optional_one_is_none() -> None:
    fields = (
        "envFrom: [{secretRef: {name: gone}}, {configMapRef: {name: away, optional: true}}], "
        "env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: nope}}}, "
        "{name: B, valueFrom: {configMapKeyRef: {name: lost, key: x}}}, "
        "{name: C, valueFrom: {configMapKeyRef: {name: lost, key: x, optional: true}}}, "
        "{name: D, valueFrom: {fieldRef: {fieldPath: spec.hostname}}}]"
    )

    env = resolved(fields)

    assert env.variables == {}
    assert [problem.split(";")[0] for problem in env.problems] == [
        'secret "gone" not found',
        'secret "shop/keys" has no key "nope"',
        'configmap "lost" not found',
        "env D: fieldPath 'spec.hostname' is not known here",
    ]
