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


Setter = Callable[[Any, Value], None]


def _put(*place: str, to: Callable[[Any], Any] = lambda value: value) -> Setter:
    """What sets a field of the spec."""

    def put(value: Any, spec: Value) -> None:
        *folders, name = place
        for folder in folders:
            spec = spec.setdefault(folder, {})
        spec[name] = to(value)

    return put


def _time(name: str) -> Setter:
    """What sets a timeout; for Contour none and nought mean its default, and there is a second word for never."""
    put = _put("timeouts", name, to=lambda text: "infinity" if text in ("infinite", "infinity") else text)

    def set_unless_default(text: Any, spec: Value) -> None:
        if text not in ("", "0", "0s", 0):
            put(text, spec)

    return set_unless_default


def _breaker(name: str) -> Setter:
    """What sets a default of circuit breakers; nought sets nothing (Contour's rule)."""
    put = _put("cluster", "circuitBreakers", name)

    def set_unless_nought(value: Any, spec: Value) -> None:
        if value != 0:
            put(value, spec)

    return set_unless_nought


def _nothing(_value: Any, _spec: Value) -> None:
    """For what holds here anyway, or is no matter of the gateway's."""


def _named(text: Any) -> Any:
    """The name of an ExtensionService, which Contour writes as `namespace/name`."""
    namespace, slash, name = text.partition("/") if isinstance(text, str) else ("", "", "")
    return {"namespace": namespace, "name": name} if slash else text


def _rate_limit_service(value: Any) -> Any:
    if isinstance(value, dict) and "extensionService" in value:
        return {**value, "extensionService": _named(value["extensionService"])}
    return value


def _authorization(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    rest = {name: each for name, each in value.items() if name != "extensionService"}
    return {"extensionRef": _named(value.get("extensionService")), **rest}


def _headers(value: Any) -> Any:
    """A policy for headers: what is set is a mapping there, and a list here as in an HTTPProxy."""
    if not isinstance(value, dict) or not isinstance(value.get("set"), dict):
        return value
    return {**value, "set": [{"name": name, "value": each} for name, each in value["set"].items()]}


def _http_versions(value: Any) -> Any:
    return [_HTTP_VERSIONS.get(str(each).lower(), each) for each in value] if isinstance(value, list) else value


_HTTP_VERSIONS = {"http/1.1": "HTTP/1.1", "http/2": "HTTP/2"}
_SERVER = {"overwrite": "Overwrite", "append_if_absent": "AppendIfAbsent", "pass_through": "PassThrough"}

_SETTINGS: dict[str, Setter] = {
    "incluster": _nothing,
    "kubeconfig": _nothing,
    "kubernetesClientQPS": _nothing,
    "kubernetesClientBurst": _nothing,
    "debug": _nothing,
    "server.xds-server-type": _nothing,
    "disableMergeSlashes": _put("paths", "mergeSlashes", to=lambda value: not value),
    "serverHeaderTransformation": _put("headers", "server", to=lambda word: _SERVER.get(word, word)),
    "tls.minimum-protocol-version": _put("tls", "minimumVersion", to=str),
    "tls.maximum-protocol-version": _put("tls", "maximumVersion", to=str),
    "tls.cipher-suites": _put("tls", "cipherSuites"),
    "tls.fallback-certificate": _put("tls", "fallbackCertificate"),
    "accesslog-format": _put("accessLog", "format", to=lambda word: "text" if word == "envoy" else word),
    "accesslog-level": _put("accessLog", "enabled", to=lambda word: word != "disabled"),
    "timeouts.request-timeout": _time("request"),
    "timeouts.connection-idle-timeout": _time("connectionIdle"),
    "timeouts.stream-idle-timeout": _time("streamIdle"),
    "timeouts.max-connection-duration": _time("connectionLifetime"),
    "timeouts.delayed-close-timeout": _time("delayedClose"),
    "timeouts.connection-shutdown-grace-period": _time("drain"),
    "timeouts.connect-timeout": _time("connect"),
    "network.num-trusted-hops": _put("trustedHops"),
    "listener.http2-max-concurrent-streams": _put("limits", "concurrentStreams"),
    "listener.max-requests-per-connection": _put("limits", "requestsPerConnection"),
    "listener.max-connections-per-listener": _put("limits", "connections"),
    "enableExternalNameService": _put("enableExternalNameService"),
    "disablePermitInsecure": _put("disablePermitInsecure"),
    "default-http-versions": _put("defaultHTTPVersions", to=_http_versions),
    "cluster.dns-lookup-family": _put("cluster", "dnsLookupFamily", to=lambda word: word or "auto"),
    "cluster.max-requests-per-connection": _put("cluster", "maxRequestsPerConnection"),
    "cluster.circuit-breakers.max-connections": _breaker("maxConnections"),
    "cluster.circuit-breakers.max-pending-requests": _breaker("maxPendingRequests"),
    "cluster.circuit-breakers.max-requests": _breaker("maxRequests"),
    "cluster.circuit-breakers.max-retries": _breaker("maxRetries"),
    "cluster.circuit-breakers.per-host-max-connections": _breaker("perHostMaxConnections"),
    "policy.request-headers": _put("policy", "requestHeadersPolicy", to=_headers),
    "policy.response-headers": _put("policy", "responseHeadersPolicy", to=_headers),
    "policy.applyToIngress": _put("policy", "applyToIngress"),
    "rateLimitService": _put("rateLimitService", to=_rate_limit_service),
    "globalExtAuth": _put("globalExternalAuthorization", to=_authorization),
}
"""Contour's settings by path, and where they go."""

_GROUPS = frozenset(path[:at] for path in _SETTINGS for at, each in enumerate(path) if each == ".")

_EXPLANATIONS = {
    "disableAllowChunkedLength": "requests with both Content-Length and chunked encoding are always refused",
    "leaderelection": "say it by --leader-election-... flags",
    "ingress-status-address": "say it by --ingress-status-address",
    "envoy-service-name": "say it by --envoy-service-name",
    "envoy-service-namespace": "say it by --envoy-service-namespace",
    "gateway": "the Gateway API is not compiled yet",
    "metrics": "say it by --metrics-address",
    "tracing": "a GatewayConfig names the collector itself, in tracing.endpoint",
    "cluster.upstream-tls": "upstreams are offered TLS 1.2 and 1.3",
    "cluster.per-connection-buffer-limit-bytes": "256 KiB are held for a connection, enough for bodies of audio",
    "listener.per-connection-buffer-limit-bytes": "256 KiB are held for a connection, enough for bodies of audio",
    "listener.connection-balancer": "Envoy's threads take connections as they come",
    "listener.socket-options": "sockets are as the system makes them",
    "listener.max-requests-per-io-cycle": "how much of a connection is read at once is Envoy's own choice",
    "network.strip-trailing-host-dot": "a dot at the end of a Host never counts",
    "tls.envoy-client-certificate": "say it by clientCertificate of a TrafficPolicy",
    "omEnforcedHealthListener": "Envoy answers about its health on its admin socket",
    "featureFlags": "there is nothing to switch: EndpointSlices are always read",
    "accesslog-format-string": "a line has a form of its own",
    "json-fields": "a line has fields of its own",
    "compression": "answers are left as the app packs them",
    "network.admin-port": "say it by `isoline envoy bootstrap --admin-port`",
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
