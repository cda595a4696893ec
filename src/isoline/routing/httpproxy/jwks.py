"""remoteJWKS and localJWKS: where a provider's keys come from."""

from urllib.parse import urlsplit

from isoline.objects import Key, Secret, parse_go_duration
from isoline.objects.httpproxy import JWTProvider, LocalJWKS, RemoteJWKS
from isoline.routing import clusters, ir, wording
from isoline.routing.authorities import machine_authorities
from isoline.routing.httpproxy import upstream_tls
from isoline.routing.httpproxy.scope import Fault, Scope
from isoline.routing.httpproxy.timeouts import MAXIMUM_SECONDS
from isoline.routing.jwks import parse_jwks
from isoline.routing.statuses import Finding
from isoline.routing.urls import PORTS, Url, is_host
from isoline.routing.view import View

_TIMEOUT = 1.0
_CACHE_DURATION = 300.0
_LONGEST_TIMEOUT = 2.0**32 - 1
_SHORTEST_CACHE = 0.001
_FAMILIES = {
    "": ir.DnsFamily.AUTO,
    "auto": ir.DnsFamily.AUTO,
    "v4": ir.DnsFamily.V4,
    "v6": ir.DnsFamily.V6,
    "all": ir.DnsFamily.ALL,
}
_FIELD = "Spec.VirtualHost.JWTProviders.RemoteJWKS"
_VALIDATION = upstream_tls.Words(
    f"{_FIELD}.UpstreamValidation is invalid", f"{_FIELD}.UpstreamValidation.CACertificate"
)


def compile_keys(
    provider: JWTProvider,
    namespace: str,
    found: dict[str, ir.Cluster],
    view: View,
    scope: Scope,
    *,
    verified: bool = False,
) -> ir.RemoteKeys | ir.LocalKeys:
    """Return a provider's keys, and add the cluster that they are fetched from to `found`. Raises Fault."""
    remote, local = provider.remote_jwks, provider.local_jwks
    if remote is not None and local is not None:
        raise _fault(scope, "JWKSSourceConflict", "exactly one of remoteJWKS and localJWKS is needed, found both")
    if remote is not None:
        return _remote(remote, namespace, found, view, scope.at("remoteJWKS"), verified=verified)
    if local is not None:
        return _local(local, namespace, view, scope.at("localJWKS"))
    raise _fault(scope, "JWKSSourceMissing", "exactly one of remoteJWKS and localJWKS is needed, found none")


def _local(local: LocalJWKS, namespace: str, view: View, scope: Scope) -> ir.LocalKeys:
    name = f"{namespace}/{local.secret_name}"
    secret = view.get(Key("Secret", namespace, local.secret_name))
    if not isinstance(secret, Secret):
        raise _fault(scope.at("secretName"), "LocalJWKSInvalid", f'Secret "{name}" not found')
    text = secret.data.get(local.key)
    if not text:
        raise _fault(scope.at("key"), "LocalJWKSInvalid", f'Secret "{name}" has nothing under "{local.key}"')
    keys = parse_jwks(bytes(text))
    if isinstance(keys, str):
        problem = f'"{local.key}" of Secret "{name}" is no JSON Web Key Set: {keys}'
        raise _fault(scope.at("key"), "LocalJWKSInvalid", problem)
    if keys.unusable:
        text_of_warning = f'{keys.unusable} keys of Secret "{name}" cannot verify tokens; the others count'
        scope.at("key").warn("JWTVerificationError", text_of_warning)
    return ir.LocalKeys(jwks=ir.PrivateBytes(keys.jwks))


def _remote(
    remote: RemoteJWKS,
    namespace: str,
    found: dict[str, ir.Cluster],
    view: View,
    scope: Scope,
    *,
    verified: bool,
) -> ir.RemoteKeys:
    place = _place(remote.uri, scope.at("uri"))
    trust = _trust(remote, place, namespace, view, scope)
    if verified and trust is None and place.secure:
        trust = _machines_trust(place, scope)
    timeout = _seconds(remote.timeout, "Timeout", 0.0, _LONGEST_TIMEOUT, scope.at("timeout"))
    place_of_cache = scope.at("cacheDuration")
    cache = _seconds(remote.cache_duration, "CacheDuration", _SHORTEST_CACHE, MAXIMUM_SECONDS, place_of_cache)
    family = _FAMILIES.get(remote.dns_lookup_family)
    if family is None:
        text = f"{remote.dns_lookup_family!r} is none of auto, all, v4 and v6"
        words = f'has an invalid value "{remote.dns_lookup_family}", must be auto, all, v4 or v6'
        place_of_family = scope.at("dnsLookupFamily")
        words = f"{_FIELD}.DNSLookupFamily {words}"
        raise _fault(place_of_family, "RemoteJWKSDNSLookupFamilyInvalid", text, words)
    cluster = clusters.of_url(place, "jwks", family=family, trust=trust)
    found[cluster.name] = cluster
    return ir.RemoteKeys(
        uri=remote.uri,
        cluster=cluster.name,
        timeout=_TIMEOUT if timeout is None else timeout,
        cache_duration=_CACHE_DURATION if cache is None else cache,
    )


def _place(uri: str, scope: Scope) -> Url:
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError as error:
        raise _fault(scope, "RemoteJWKSURIInvalid", str(error), f"{_FIELD}.URI is invalid: {error}") from error
    if parts.scheme not in PORTS:
        text = f'"{parts.scheme}" is neither http nor https'
        words = f'{_FIELD}.URI has invalid scheme "{parts.scheme}", must be http or https'
        raise _fault(scope, "RemoteJWKSSchemeInvalid", text, words)
    if not (uri.isascii() and uri.isprintable()) or " " in uri or "@" in parts.netloc or not is_host(host):
        text = f"{uri!r} leads to no host; write one such as https://login.example.com/keys.json"
        raise _fault(scope, "RemoteJWKSURIInvalid", text, _words_of_uri(wording.bad_url(uri)))
    try:
        port = parts.port
    except ValueError as error:
        if problem := wording.bad_url(uri):
            raise _fault(scope, "RemoteJWKSURIInvalid", str(error), _words_of_uri(problem)) from error
        raise _fault(scope, "RemoteJWKSPortInvalid", str(error)) from error
    if port == 0:
        raise _fault(scope, "RemoteJWKSPortInvalid", "0 is no port")
    return Url(parts.scheme, host, port or PORTS[parts.scheme])


def _words_of_uri(problem: str) -> str:
    return f"{_FIELD}.URI is invalid: {problem}" if problem else ""


def _trust(remote: RemoteJWKS, place: Url, namespace: str, view: View, scope: Scope) -> ir.Trust | None:
    if remote.validation is None:
        return None
    if place.scheme == "http":
        text = "must not be specified when the scheme of uri is http"
        words = f"{_FIELD}.UpstreamValidation must not be specified when URI scheme is http."
        raise _fault(scope.at("validation"), "RemoteJWKSUpstreamValidationInvalid", text, words)
    try:
        return upstream_tls.compile_validation(
            remote.validation, ir.Upstream.TLS, namespace, view, scope, words=_VALIDATION
        )
    except Fault as fault:
        foreign = fault.finding.reason == "CACertificateNotDelegated"
        reason = "RemoteJWKSCACertificateNotDelegated" if foreign else "RemoteJWKSUpstreamValidationInvalid"
        finding = Finding("JWTVerificationError", reason, fault.finding.message, fault.finding.words)
        raise Fault(finding) from fault


def _machines_trust(place: Url, scope: Scope) -> ir.Trust:
    if not (trusted := machine_authorities()):
        text = "the gateway's own machine trusts no authority: name a Secret with the CA of the server"
        raise _fault(scope.at("uri"), "RemoteJWKSUpstreamValidationInvalid", text)
    return ir.Trust(authorities=trusted, names=(place.host,))


def _seconds(text: str, field: str, lowest: float, highest: float, scope: Scope) -> float | None:
    if not text:
        return None
    reason = f"RemoteJWKS{field}Invalid"
    try:
        seconds = parse_go_duration(text)
    except ValueError as error:
        words = f"{_FIELD}.{field} is invalid: {wording.bad_duration(text)}"
        raise _fault(scope, reason, str(error), words) from error
    if not lowest <= seconds <= highest:
        raise _fault(scope, reason, f"{text} is outside {lowest:g}s–{highest:.0f}s")
    return seconds


def _fault(scope: Scope, reason: str, text: str, words: str = "") -> Fault:
    return scope.fault("JWTVerificationError", reason, text, words=words)
