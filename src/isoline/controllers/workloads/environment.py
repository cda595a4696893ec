"""A container's environment, and `$(VAR)` in its command, as Kubernetes defines them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from isoline.objects.containers import Container, EnvFromSource, EnvVar, EnvVarSource, KeySelector

_VARIABLE_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_SUBSCRIPTED_FIELD = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")

Values = Mapping[str, bytes]
"""The data of a ConfigMap or a Secret."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with `$(NAME)` replaced; `$$` is a plain `$`, and a name that is not known stays as it is.

    The rule is Kubernetes's for `command`, `args` and `env` values: `$$(NAME)` is never expanded, and what is not of
    this form, such as `$HOME` or an unclosed `$(`, is left alone.
    """
    parts: list[str] = []
    at = 0
    while (dollar := text.find("$", at)) >= 0 and dollar + 1 < len(text):
        parts.append(text[at:dollar])
        following = text[dollar + 1]
        end = text.find(")", dollar + 2) if following == "(" else -1
        if following == "$":
            parts.append("$")
            at = dollar + 2
        elif end >= 0:
            parts.append(variables.get(text[dollar + 2 : end], text[dollar : end + 1]))
            at = end + 1
        else:
            parts.append(text[dollar : dollar + 2])
            at = dollar + 2
    parts.append(text[at:])
    return "".join(parts)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a pod may ask about itself and its container's resources."""

    name: str
    namespace: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    ip: str = "127.0.0.1"
    node: str = ""
    service_account: str = "default"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where values come from. `config_map` and `secret` return the data of one by name, None when there is none."""

    facts: Facts
    config_map: Callable[[str], Values | None]
    secret: Callable[[str], Values | None]
    resource: Callable[[str, str, str | int], str | None]
    """Container name ("" is the asking one), resource (`limits.cpu`…) and divisor to the number as text."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The variables, and every reason why the container cannot be started with them."""

    variables: dict[str, str]
    problems: tuple[str, ...]


def resolve(container: Container, sources: Sources, *, given: Mapping[str, str]) -> Environment:
    """Return the environment of a container: `envFrom`, then `env` in order, then what is `given`.

    Later definitions win, and `$(VAR)` sees those before it. What is given (the replica's `PORT` and `HOST`, say)
    is seen by all of them and has the last word: no manifest knows on which port a replica of this machine listens.
    """
    problems: list[str] = []
    variables = dict(given)
    for source in container.env_from:
        variables |= _whole(source, sources, problems)
    variables |= given
    for variable in container.env:
        value = _value(variable, variables, sources, problems)
        if value is not None and variable.name not in given:
            variables[variable.name] = value
    return Environment(variables=variables, problems=tuple(problems))


def _whole(source: EnvFromSource, sources: Sources, problems: list[str]) -> dict[str, str]:
    """The variables of one `envFrom` entry; keys that are no variable names are left out, as Kubernetes does."""
    for reference, kind, lookup in (
        (source.config_map_ref, "configmap", sources.config_map),
        (source.secret_ref, "secret", sources.secret),
    ):
        if reference is None:
            continue
        data = lookup(reference.name)
        if data is None:
            if not reference.optional:
                problems.append(f'{kind} "{reference.name}" not found')
            return {}
        named = ((source.prefix + key, value) for key, value in data.items())
        return {name: _text(value) for name, value in named if _VARIABLE_NAME.fullmatch(name)}
    return {}


def _value(variable: EnvVar, before: Mapping[str, str], sources: Sources, problems: list[str]) -> str | None:
    if variable.value_from is None:
        return expand(variable.value, before)
    return _taken_from(variable.name, variable.value_from, sources, problems)


def _taken_from(name: str, origin: EnvVarSource, sources: Sources, problems: list[str]) -> str | None:
    if origin.secret_key_ref is not None:
        return _one_key("secret", origin.secret_key_ref, sources.secret, sources, problems)
    if origin.config_map_key_ref is not None:
        return _one_key("configmap", origin.config_map_key_ref, sources.config_map, sources, problems)
    if origin.field_ref is not None:
        found = _field(origin.field_ref.field_path, sources.facts)
        if found is None:
            problems.append(
                f"env {name}: fieldPath {origin.field_ref.field_path!r} is not known here; known are metadata.name, "
                "metadata.namespace, metadata.uid, metadata.labels['…'], metadata.annotations['…'], status.podIP, "
                "status.hostIP, spec.nodeName and spec.serviceAccountName"
            )
        return found
    if origin.resource_field_ref is not None:
        asked = origin.resource_field_ref
        found = sources.resource(asked.container_name, asked.resource, asked.divisor)
        if found is None:
            problems.append(f"env {name}: resource {asked.resource!r} is not known here")
        return found
    problems.append(f"env {name}: valueFrom names no source that works on one machine")
    return None


def _one_key(
    kind: str,
    selector: KeySelector,
    lookup: Callable[[str], Values | None],
    sources: Sources,
    problems: list[str],
) -> str | None:
    data = lookup(selector.name)
    if data is not None and selector.key in data:
        return _text(data[selector.key])
    if not selector.optional:
        problems.append(
            f'{kind} "{selector.name}" not found'
            if data is None
            else f'{kind} "{sources.facts.namespace}/{selector.name}" has no key "{selector.key}"'
        )
    return None


def _text(value: bytes) -> str:
    # bytes.decode explicitly: a secret's own str() is a redaction.
    return bytes.decode(value, "utf-8", "surrogateescape")


def _field(path: str, facts: Facts) -> str | None:
    simple = {
        "metadata.name": facts.name,
        "metadata.namespace": facts.namespace,
        "metadata.uid": facts.uid,
        "status.podIP": facts.ip,
        "status.podIPs": facts.ip,
        "status.hostIP": facts.ip,
        "status.hostIPs": facts.ip,
        "spec.nodeName": facts.node,
        "spec.serviceAccountName": facts.service_account,
    }
    if path in simple:
        return simple[path]
    subscripted = _SUBSCRIPTED_FIELD.fullmatch(path)
    if subscripted is None:
        return None
    mapping = facts.labels if subscripted[1] == "labels" else facts.annotations
    return mapping.get(subscripted[2], "")
