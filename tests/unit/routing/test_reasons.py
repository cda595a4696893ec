"""Each type and reason that docs/contour.md lists, and an object that the compiler says it of."""

import re
import textwrap
from functools import partial
from pathlib import Path

import pytest

from isoline.routing.gateway import gateway_from_config
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from unit.routing.support import objects, store_of

PAGE = (Path(__file__).parents[3] / "docs/contour.md").read_text()

GOOD_ROUTE = "routes: [{services: [{name: app, port: 80}]}]"
WORLD = """
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: tls}
type: kubernetes.io/tls
data: {tls.crt: CERTIFICATE, tls.key: KEY}
---
apiVersion: v1
kind: Secret
metadata: {name: ca, namespace: other}
data: {ca.crt: CERTIFICATE}
---
apiVersion: v1
kind: Secret
metadata: {name: tls, namespace: other}
type: kubernetes.io/tls
data: {tls.crt: CERTIFICATE, tls.key: KEY}
---
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {name: guard}
spec: {services: [{name: app, port: 80}]}
"""


def proxy(spec: str, name: str = "web", namespace: str = "default", created: str = "2026-01-01T00:00:00Z") -> str:
    metadata = f"{{name: {name}, namespace: {namespace}, creationTimestamp: '{created}'}}"
    head = f"\napiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {metadata}\nspec:\n"
    return "---" + head + textwrap.indent(textwrap.dedent(spec), "  ") + "\n"


def route(fields: str, conditions: str = "prefix: /") -> str:
    """A plain host with one route to the app."""
    return proxy(
        "virtualhost: {fqdn: a.example.com}\n"
        f"routes: [{{conditions: [{{{conditions}}}], services: [{{name: app, port: 80}}], {fields}}}]"
    )


def service(fields: str) -> str:
    """A plain host with one route to one service."""
    return proxy(f"virtualhost: {{fqdn: a.example.com}}\nroutes: [{{services: [{{{fields}}}]}}]")


def host(fields: str, tls: str = "secretName: tls", rest: str = GOOD_ROUTE) -> str:
    """A host with TLS."""
    return proxy(f"virtualhost: {{fqdn: a.example.com, tls: {{{tls}}}, {fields}}}\n{rest}")


def plain(fields: str, rest: str = GOOD_ROUTE) -> str:
    return proxy(f"virtualhost: {{fqdn: a.example.com, {fields}}}\n{rest}")


def tunnel(fields: str, child: str = "") -> str:
    return host("", rest=f"tcpproxy: {{{fields}}}") + child


def guard(fields: str) -> str:
    return host(f"authorization: {{extensionRef: {{name: guard}}, {fields}}}")


def provider(fields: str, name: str = "one") -> str:
    return host(f"jwtProviders: [{{name: {name}, {fields}}}]")


def remote(fields: str) -> str:
    return provider(f"remoteJWKS: {{{fields}}}")


def extension(spec: str) -> str:
    head = "---\napiVersion: projectcontour.io/v1alpha1\nkind: ExtensionService\nmetadata: {name: asked}\n"
    return f"{head}spec: {{{spec}}}\n"


def config(spec: str) -> str:
    return (
        f"---\napiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {{name: default}}\nspec: {{{spec}}}\n"
    )


FALLBACK = "secretName: tls, enableFallbackCertificate: true"
TOKENS = "remoteJWKS: {uri: 'https://login.example.com/keys'}"
JWT_ROUTE = "routes: [{services: [{name: app, port: 80}], jwtVerificationPolicy: {%s}}]"
CHILD = partial(proxy, name="child")
CASES: dict[str, dict[str, str]] = {
    "VirtualHostError": {
        "RateLimitPolicyNotValid": plain("rateLimitPolicy: {local: {requests: 0, unit: minute}}"),
        "FQDNNotSpecified": proxy(f"virtualhost: {{fqdn: ''}}\n{GOOD_ROUTE}"),
        "DuplicateVhost": plain("")
        + proxy(f"virtualhost: {{fqdn: a.example.com}}\n{GOOD_ROUTE}", "other", created="2026-01-02T00:00:00Z"),
        "FQDNNotValid": proxy(f"virtualhost: {{fqdn: 'a b'}}\n{GOOD_ROUTE}"),
    },
    "RootNamespaceError": {
        "RootProxyNotAllowedInNamespace": plain("") + config("rootNamespaces: [roots]"),
    },
    "Orphaned": {"Orphaned": CHILD(GOOD_ROUTE)},
    "SpecError": {
        "NothingDefined": proxy("virtualhost: {fqdn: a.example.com}"),
        "UnsupportedProtocol": extension("protocol: spdy, services: [{name: app, port: 80}]"),
        "InconsistentProtocol": extension(
            "protocol: h2c, services: [{name: app, port: 80}], validation: {caSecret: ca, subjectName: a}"
        ),
        "TLSUpstreamValidation": extension(
            "protocol: h2, services: [{name: app, port: 80}], validation: {caSecret: none, subjectName: a}"
        ),
        "TimeoutPolicyNotValid": extension("services: [{name: app, port: 80}], timeoutPolicy: {response: .s}"),
    },
    "TLSError": {
        "TLSConfigNotValid": host("", tls="secretName: tls, passthrough: true"),
        "TLSIncompatibleFeatures": host(f"jwtProviders: [{{name: one, {TOKENS}}}]", tls=FALLBACK),
        "SecretNotValid": host("", tls="secretName: none"),
        "DelegationNotPermitted": host("", tls="secretName: other/tls"),
        "FallbackNotPresent": host("", tls=FALLBACK),
        "FallbackNotDelegated": host("", tls=FALLBACK)
        + config("tls: {fallbackCertificate: {namespace: other, name: tls}}"),
        "FallbackNotValid": host("", tls=FALLBACK)
        + config("tls: {fallbackCertificate: {namespace: default, name: none}}"),
        "ClientValidationInvalid": host("", tls="secretName: tls, clientValidation: {caSecret: none}"),
        "CACertificateNotDelegated": service(
            "name: app, port: 80, protocol: tls, validation: {caSecret: other/ca, subjectName: a}"
        ),
    },
    "IncludeError": {
        "TooManyIncludes": plain("", "includes: [{name: child-0}]")
        + "".join(proxy(f"includes: [{{name: child-{number + 1}}}]", f"child-{number}") for number in range(100)),
        "IncludeNotFound": plain("", "includes: [{name: none}]"),
        "RootIncludesRoot": plain("", "includes: [{name: web}]"),
        "IncludeCreatesCycle": plain("", "includes: [{name: child}]") + CHILD("includes: [{name: child}]"),
        "DuplicateMatchConditions": plain(
            "", "includes: [{name: child, conditions: [{prefix: /a}]}, {name: child, conditions: [{prefix: /a}]}]"
        )
        + CHILD(GOOD_ROUTE),
        "PathMatchConditionsNotValid": plain("", "includes: [{name: child, conditions: [{prefix: a}]}]")
        + CHILD(GOOD_ROUTE),
    },
    "RouteError": {
        "DirectResponsePolicyNotValid": proxy(
            "virtualhost: {fqdn: a.example.com}\nroutes: [{directResponsePolicy: {statusCode: 600}}]"
        ),
        "InternalRedirectPolicyNotValid": route("internalRedirectPolicy: {redirectResponseCodes: [200]}"),
        "RetryPolicyNotValid": route("retryPolicy: {retryOn: [never]}"),
        "PathMatchConditionsNotValid": route("", "prefix: a"),
        "HeaderMatchConditionsNotValid": route("", "header: {name: a, regex: '('}"),
        "QueryParameterMatchConditionsNotValid": route("", "queryParameter: {name: a, regex: '('}"),
        "RouteActionCountNotValid": route("directResponsePolicy: {statusCode: 200}"),
        "RequestHeadersPolicyInvalid": route("requestHeadersPolicy: {set: [{name: a, value: b}, {name: A, value: c}]}"),
        "ResponseHeaderPolicyInvalid": route("responseHeadersPolicy: {set: [{name: Host, value: b}]}"),
        "CookieRewritePoliciesInvalid": route("cookieRewritePolicies: [{name: a}]"),
        "TimeoutPolicyNotValid": route("timeoutPolicy: {response: .s}"),
        "RateLimitPolicyNotValid": route("rateLimitPolicy: {local: {requests: 0, unit: minute}}"),
        "RequestRedirectPolicy": proxy(
            "virtualhost: {fqdn: a.example.com}\nroutes: [{requestRedirectPolicy: {path: /a, prefix: /b}}]"
        ),
        "HealthCheckPolicyInvalid": route("healthCheckPolicy: {path: ''}"),
    },
    "PrefixReplaceError": {
        "InvalidReplacement": route('pathRewritePolicy: {replacePrefix: [{replacement: "/a\\nb"}]}'),
        "MustHavePrefix": route("pathRewritePolicy: {replacePrefix: [{replacement: /b}]}", "exact: /a"),
        "DuplicateReplacement": route(
            "pathRewritePolicy: {replacePrefix: [{prefix: /a, replacement: /b}, {prefix: /a, replacement: /c}]}"
        ),
        "AmbiguousReplacement": route("pathRewritePolicy: {replacePrefix: [{replacement: /b}, {replacement: /c}]}"),
    },
    "ServiceError": {
        "ServiceWeightInvalid": service("name: app, port: 80, weight: -1"),
        "ServicePortInvalid": service("name: app, port: 70000"),
        "ServiceUnresolvedReference": service("name: none, port: 80"),
        "UnsupportedProtocol": service("name: app, port: 80, protocol: spdy"),
        "TLSUpstreamValidation": service(
            "name: app, port: 80, protocol: tls, validation: {caSecret: none, subjectName: a}"
        ),
        "SlowStartInvalid": service("name: app, port: 80, slowStartPolicy: {window: .s}"),
        "OnlyOneMirror": proxy(
            "virtualhost: {fqdn: a.example.com}\nroutes: [{services: [{name: app, port: 80}, "
            "{name: app, port: 80, mirror: true}, {name: app, port: 80, mirror: true}]}]"
        ),
        "RequestHeadersPolicyInvalid": service(
            "name: app, port: 80, requestHeadersPolicy: {set: [{name: a, value: b}, {name: A, value: c}]}"
        ),
        "ResponseHeadersPolicyInvalid": service(
            "name: app, port: 80, responseHeadersPolicy: {set: [{name: Host, value: b}]}"
        ),
        "UnsupportedServiceType": extension("services: [{name: outside, port: 80}]")
        + "---\napiVersion: v1\nkind: Service\nmetadata: {name: outside}\n"
        "spec: {type: ExternalName, externalName: a.example.com, ports: [{port: 80}]}\n",
    },
    "TCPProxyError": {
        "TLSMustBeConfigured": plain("", "tcpproxy: {services: [{name: app, port: 80}]}"),
        "NoServicesAndInclude": tunnel("services: [{name: app, port: 80}], include: {name: child}"),
        "NothingDefined": tunnel(""),
        "ServiceUnresolvedReference": tunnel("services: [{name: none, port: 80}]"),
    },
    "TCPProxyIncludeError": {
        "IncludeNotFound": tunnel("include: {name: none}"),
        "RootIncludesRoot": tunnel("include: {name: web}"),
        "IncludeCreatesCycle": tunnel("include: {name: child}", CHILD("tcpproxy: {include: {name: child}}")),
    },
    "IPFilterError": {
        "IncompatibleIPAddressFilters": plain(
            "ipAllowPolicy: [{source: Peer, cidr: 10.0.0.0/8}], ipDenyPolicy: [{source: Peer, cidr: 10.0.0.0/8}]"
        ),
        "InvalidCIDR": route("ipAllowPolicy: [{source: Peer, cidr: here}]"),
        "IPFilterPolicyNotValid": plain("ipAllowPolicy: [{source: Peer, cidr: here}]"),
    },
    "CORSError": {
        "PolicyDidNotParse": plain("corsPolicy: {allowOrigin: ['*'], allowMethods: [GET], maxAge: never}"),
    },
    "AuthError": {
        "AuthServiceTypeInvalid": guard("serviceType: tcp"),
        "AuthPathPrefixInvalid": guard("serviceType: http, httpSettings: {pathPrefix: '/a?'}"),
        "AuthRequestBodyInvalid": guard("withRequestBody: {maxRequestBytes: -1}"),
        "AuthNotPermitted": plain("authorization: {extensionRef: {name: guard}}"),
        "AuthBadResourceVersion": host("authorization: {extensionRef: {name: guard, apiVersion: a/v1}}"),
        "AuthBadAllowedHeader": guard(
            "serviceType: http, httpSettings: {allowedUpstreamHeaders: [{ignoreCase: true}]}"
        ),
        "AuthContextForHTTP": guard("serviceType: http, authPolicy: {context: {a: b}}"),
        "AuthResponseTimeoutInvalid": guard("responseTimeout: .s"),
        "ExtensionServiceNotFound": host("authorization: {extensionRef: {name: none}}"),
    },
    "JWTVerificationError": {
        "JWTVerificationNotPermitted": plain(f"jwtProviders: [{{name: one, {TOKENS}}}]"),
        "DuplicateProviderName": host(f"jwtProviders: [{{name: one, {TOKENS}}}, {{name: one, {TOKENS}}}]"),
        "MultipleDefaultProvidersSpecified": host(
            f"jwtProviders: [{{name: one, default: true, {TOKENS}}}, {{name: two, default: true, {TOKENS}}}]"
        ),
        "JWKSSourceConflict": provider(f"{TOKENS}, localJWKS: {{secretName: keys, key: a}}"),
        "JWKSSourceMissing": provider("issuer: a"),
        "LocalJWKSInvalid": provider("localJWKS: {secretName: none, key: a}"),
        "RemoteJWKSURIInvalid": remote("uri: 'https://'"),
        "RemoteJWKSSchemeInvalid": remote("uri: 'ftp://a.example.com/'"),
        "RemoteJWKSTimeoutInvalid": remote("uri: 'https://a.example.com/', timeout: .s"),
        "RemoteJWKSCacheDurationInvalid": remote("uri: 'https://a.example.com/', cacheDuration: .s"),
        "RemoteJWKSPortInvalid": remote("uri: 'https://a.example.com:70000/'"),
        "RemoteJWKSDNSLookupFamilyInvalid": remote("uri: 'https://a.example.com/', dnsLookupFamily: v5"),
        "RemoteJWKSUpstreamValidationInvalid": remote(
            "uri: 'https://a.example.com/', validation: {caSecret: none, subjectName: a}"
        ),
        "RemoteJWKSCACertificateNotDelegated": remote(
            "uri: 'https://a.example.com/', validation: {caSecret: other/ca, subjectName: a}"
        ),
        "JWTProviderNotDefined": host("", rest=JWT_ROUTE % "require: none"),
        "InvalidJWTVerificationPolicy": host("", rest=JWT_ROUTE % "require: one, disabled: true"),
        "ProviderNameMissing": provider(TOKENS, name="''"),
    },
}
PAIRS = [(kind, reason) for kind, reasons in CASES.items() for reason in reasons]


def listed() -> list[tuple[str, str]]:
    """What the page lists."""
    _, _, section = PAGE.partition("\n## Statuses\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    cells = [[re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")] for line in lines]
    return [(kind, reason) for (kind,), *reasons in cells for cell in reasons for reason in cell]


def told(manifests: str) -> list[tuple[str, str]]:
    """The types and reasons of the errors of all objects."""
    scheduler = Scheduler(
        store_of(*objects(WORLD + manifests)),
        settings_of=partial(settings_from_config, one_machine=False),
        gateway_of=partial(gateway_from_config, http_port=80, https_port=443),
    )
    statuses = [status for update in scheduler.start() for status in update.statuses.values()]
    return [(error.type, error.reason) for status in statuses if status is not None for error in status.errors]


@pytest.mark.parametrize(("kind", "reason"), PAIRS, ids=lambda each: each)
def test_it_is_said(kind: str, reason: str) -> None:
    assert (kind, reason) in told(CASES[kind][reason])


def test_the_world_around_it_is_without_fault() -> None:
    assert told(plain("")) == []


def test_the_page_lists_them_all_and_no_other() -> None:
    assert sorted(listed()) == sorted(PAIRS)
