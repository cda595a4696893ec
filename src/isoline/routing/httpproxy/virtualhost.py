"""Roots: who speaks for a host, and whether the host can be served at all."""

from collections.abc import Iterable

import msgspec

from isoline.objects import HTTPProxy
from isoline.objects.httpproxy import TLS
from isoline.routing import ir
from isoline.routing.clusters import named_by
from isoline.routing.httpproxy import (
    authorization,
    client_validation,
    fallback_certificate,
    jwt,
    tcpproxy,
)
from isoline.routing.httpproxy.host_policies import NONE, compile_host_policies
from isoline.routing.httpproxy.includes import add_routes
from isoline.routing.httpproxy.order import Draft, in_order
from isoline.routing.httpproxy.rewrites import with_both_forms
from isoline.routing.httpproxy.scope import Fault
from isoline.routing.httpproxy.site import SiteDraft
from isoline.routing.httpproxy.tls import compile_tls, needs_own_chain
from isoline.routing.httpproxy.unsupported import report_unsupported

UNSUPPORTED = (*authorization.HOST, *jwt.HOST)
UNSUPPORTED_OF_TLS = (*client_validation.TLS, *fallback_certificate.TLS, *tcpproxy.TLS)

_TO_HTTPS = ir.HttpsRedirect()
_UNKNOWN_AGE = "~"  # After every timestamp: what nobody can date does not take a host from anybody.


def oldest_first(proxies: Iterable[HTTPProxy]) -> list[HTTPProxy]:
    """Return the claimants of a host, the one that keeps it first: by age, then by namespace and name."""
    return sorted(
        proxies,
        key=lambda proxy: (
            proxy.metadata.creation_timestamp or _UNKNOWN_AGE,
            proxy.metadata.namespace,
            proxy.metadata.name,
        ),
    )


def compile_root(host: str, proxy: HTTPProxy, site: SiteDraft) -> ir.Site | None:
    """Return what a root serves for its host, None if nothing. All that is found is in the reports of `site`.

    A root that cannot be served as a whole compiles no route, so that what it includes is orphaned (Contour's rule).
    """
    root = proxy.spec.virtualhost
    assert root is not None
    tls: ir.Tls | None = None
    try:
        _check_whole(proxy, site)
        if root.tls is not None and not site.root.report.errors:
            tls = compile_tls(root.tls, proxy.metadata.namespace, site.view, site.root.at("virtualhost"))
    except Fault as fault:
        site.root.report.errors[fault.finding] = None
    if site.root.report.errors:
        return None
    site.ends_tls = tls is not None
    add_routes(site, proxy)
    policies = compile_host_policies(root, site.view.settings, site.root.at("virtualhost"))
    if policies is None:
        return None
    own_chain = root.tls is not None and tls is not None and needs_own_chain(host, root.tls, tls, site.view)
    assembled = _assembled(host, site, tls, own_chain=own_chain)
    if assembled is None or policies == NONE:
        return assembled
    return msgspec.structs.replace(assembled, **policies._asdict())


def _check_whole(proxy: HTTPProxy, site: SiteDraft) -> None:
    """Report everything about the root that keeps the whole host from being served."""
    spec, scope = proxy.spec, site.root
    root = spec.virtualhost
    assert root is not None
    if not spec.routes and not spec.includes and spec.tcpproxy is None:
        raise scope.fault("SpecError", "NothingDefined", "at least one of routes, includes and tcpproxy is needed")
    host = scope.at("virtualhost")
    if root.jwt_providers and (root.tls is None or not root.tls.secret_name):
        host.at("jwtProviders").error("JWTVerificationError", "JWTVerificationNotPermitted", _ENDS_NO_TLS)
    if root.authorization is not None and root.authorization.extension_ref.name and root.tls is None:
        host.at("authorization").error("AuthError", "AuthNotPermitted", _ENDS_NO_TLS)
    if root.ip_allow_policy and root.ip_deny_policy:
        text = "ipAllowPolicy and ipDenyPolicy exclude each other"
        host.error("IPFilterError", "IncompatibleIPAddressFilters", text)
    if root.tls is not None:
        _check_tls(root.tls, site)
    if spec.tcpproxy is not None and root.tls is None:
        scope.at("tcpproxy").error("TCPProxyError", "TLSMustBeConfigured", _ENDS_NO_TLS)
    if not scope.report.errors:
        report_unsupported(UNSUPPORTED, root, host)
        report_unsupported(tcpproxy.SPEC, spec, scope)
        if root.tls is not None:
            report_unsupported(UNSUPPORTED_OF_TLS, root.tls, host.at("tls"))


_ENDS_NO_TLS = "needs virtualhost.tls"


def _check_tls(tls: TLS, site: SiteDraft) -> None:
    scope = site.root.at("virtualhost.tls")
    if not tls.passthrough:
        return
    if tls.enable_fallback_certificate:
        scope.error(
            "TLSError", "TLSIncompatibleFeatures", "passthrough and enableFallbackCertificate exclude each other"
        )
    if tls.secret_name.strip():
        scope.error("TLSError", "TLSConfigNotValid", "passthrough and secretName exclude each other")
    if tls.client_validation is not None:
        scope.error("TLSError", "TLSIncompatibleFeatures", "passthrough and clientValidation exclude each other")


def _assembled(host: str, site: SiteDraft, tls: ir.Tls | None, *, own_chain: bool) -> ir.Site | None:
    drafts = in_order(with_both_forms(site.drafts))
    if not drafts:
        return None
    routes = tuple(draft.route for draft in drafts)
    clusters = tuple(site.clusters[name] for name in named_by(routes))
    if tls is None:
        return ir.Site(host=host, http=routes, clusters=clusters)
    plain = tuple(_on_plain_http(draft) for draft in drafts)
    return ir.Site(host=host, http=plain, https=routes, tls=tls, own_chain=own_chain, clusters=clusters)


def _on_plain_http(draft: Draft) -> ir.Route:
    if draft.insecure:
        return draft.route
    return ir.Route(name=draft.route.name, match=draft.route.match, action=_TO_HTTPS)
