"""Contour's configuration file as a GatewayConfig, and what of it we cannot honour."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from isoline.cli.errors import UsedWronglyError
from isoline.objects import GatewayConfig, ObjectError, decode_object
from isoline.objects.suggestions import closest

Value = dict[str, Any]


def read_contour_config(path: Path) -> tuple[GatewayConfig, list[str]]:
    """Return the settings of the file, and a sentence about each that means nothing here.

    Raises UsedWronglyError for a file that Contour would not take either.
    """
    try:
        given = yaml.safe_load(path.read_text()) or {}
    except OSError as error:
        raise UsedWronglyError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsedWronglyError(f"{path}: not YAML: {error}") from error
    if not isinstance(given, dict):
        raise UsedWronglyError(f"{path}: found no mapping of settings")
    spec: Value = {}
    unhonoured = list(_translate(given, "", spec))
    manifest = {
        "apiVersion": "isoline.dev/v1alpha1",
        "kind": "GatewayConfig",
        "metadata": {"name": "default"},
        "spec": spec,
    }
    try:
        config = decode_object(manifest)
    except ObjectError as error:
        texts = [f"{path}: {problem.path}: {problem.explanation}" for problem in error.problems]
        raise UsedWronglyError("\n".join(texts)) from error
    assert isinstance(config, GatewayConfig)
    return config, unhonoured


def _put(*place: str, to: Callable[[Any], Any] = lambda value: value) -> Callable[[Any, Value], None]:
    """What sets a field of the spec."""

    def put(value: Any, spec: Value) -> None:
        *folders, name = place
        for folder in folders:
            spec = spec.setdefault(folder, {})
        spec[name] = to(value)

    return put


def _nothing(_value: Any, _spec: Value) -> None:
    """For what holds here anyway, or is no matter of the gateway's."""


def _inverse(value: Any) -> bool:
    return not value


_SETTINGS: dict[str, Callable[[Any, Value], None]] = {
    "incluster": _nothing,
    "kubeconfig": _nothing,
    "debug": _nothing,
    "server.xds-server-type": _nothing,
    "disableMergeSlashes": _put("paths", "mergeSlashes", to=_inverse),
    "tls.minimum-protocol-version": _put("tls", "minimumVersion", to=str),
    "tls.maximum-protocol-version": _put("tls", "maximumVersion", to=str),
    "accesslog-format": _put("accessLog", "format", to=lambda word: "text" if word == "envoy" else word),
    "accesslog-level": _put("accessLog", "enabled", to=lambda word: word != "disabled"),
    "timeouts.request-timeout": _put("timeouts", "request"),
    "timeouts.connection-idle-timeout": _put("timeouts", "connectionIdle"),
    "timeouts.stream-idle-timeout": _put("timeouts", "streamIdle"),
    "timeouts.connect-timeout": _put("timeouts", "connect"),
    "timeouts.connection-shutdown-grace-period": _put("timeouts", "drain"),
    "network.num-trusted-hops": _put("trustedHops"),
    "listener.http2-max-concurrent-streams": _put("limits", "concurrentStreams"),
    "rootnamespaces": _put("rootNamespaces"),
}
"""Contour's settings by path, and where they go."""

_GROUPS = frozenset(path.partition(".")[0] for path in _SETTINGS if "." in path)

_EXPLANATIONS = {
    "disablePermitInsecure": "permitInsecure of HTTPProxies stays honoured",
    "disableAllowChunkedLength": "requests with both Content-Length and chunked encoding are always refused",
    "leaderelection": "say it by --leader-election-... flags",
    "ingress-status-address": "say it by --ingress-status-address",
    "envoy-service-name": "say it by --envoy-service-name",
    "envoy-service-namespace": "say it by --envoy-service-namespace",
    "gateway": "the Gateway API is not compiled yet",
    "metrics": "say it by --metrics-address",
}


def _translate(given: Value, prefix: str, spec: Value) -> Iterator[str]:
    for name, value in given.items():
        path = f"{prefix}{name}"
        if value is None or value in ({}, []):
            continue
        if path in _SETTINGS:
            _SETTINGS[path](value, spec)
        elif path in _GROUPS and isinstance(value, dict):
            yield from _translate(value, f"{path}.", spec)
        else:
            match = closest(path, list(_SETTINGS)) if path not in _EXPLANATIONS else None
            hint = _EXPLANATIONS.get(path) or (f'did you mean "{match}"?' if match else "Isoline has no such setting")
            yield f"{path}: {hint}"
