"""Roots: who speaks for a host, and whether the host can be served at all."""

import msgspec

from isoline.objects import HTTPProxy
from isoline.objects.httpproxy import TLS
from isoline.routing import ir
from isoline.routing.clusters import named_by
from isoline.routing.httpproxy import fallback_certificate, guards
from isoline.routing.httpproxy.ending import PLAIN, Ending, compile_ending, with_clients
from isoline.routing.httpproxy.host_policies import NONE, compile_host_policies
from isoline.routing.httpproxy.includes import add_routes
from isoline.routing.httpproxy.order import Draft, in_order
from isoline.routing.httpproxy.rewrites import with_both_forms
from isoline.routing.httpproxy.scope import Fault
from isoline.routing.httpproxy.site import SiteDraft

_TO_HTTPS = ir.HttpsRedirect()


def compile_root(host: str, proxy: HTTPProxy, site: SiteDraft) -> ir.Site | None:
    """Return what a root serves for its host, None if nothing. All that is found is in the reports of `site`.

    A root that cannot be served as a whole compiles no route, so that what it includes is orphaned (Contour's rule).
    """
    root = proxy.spec.virtualhost
    assert root is not None
    ending = PLAIN
    try:
        _check_whole(proxy, site)
        if not site.root.report.errors:
            ending = compile_ending(host, proxy, site)
    except Fault as fault:
        site.root.report.errors[fault.finding] = None
    # A tunnel's faults close the tunnel; what plain HTTP serves beside it goes on.
    if site.root.report.errors and ending.tunnel is None:
        return None
    try:
        site.guards = guards.compile_guards(proxy, root, site.view, site.root.at("virtualhost"))
    except guards.NotGuarded:
        return None
    guarded = with_clients(ending, proxy, site)
    site.ends_tls = ending.tls is not None
    add_routes(site, proxy)
    policies = compile_host_policies(root, site.view.settings, site.root.at("virtualhost"))
    if policies is None:
        return None
    if guarded is None:
        return None
    assembled = _assembled(host, site, guarded)
    if assembled is not None and site.guards is not guards.NONE:
        assembled = guards.guarded(assembled, site.guards)
    if assembled is None or policies == NONE:
        return assembled
    return msgspec.structs.replace(assembled, **policies._asdict())


def _check_whole(proxy: HTTPProxy, site: SiteDraft) -> None:
    """Report everything about the root that keeps the whole host from being served."""
    spec, scope = proxy.spec, site.root
    root = spec.virtualhost
    assert root is not None
    if not spec.routes and not spec.includes and spec.tcpproxy is None:
        words = "HTTPProxy.Spec must have at least one Route, Include, or a TCPProxy"
        text = "at least one of routes, includes and tcpproxy is needed"
        raise scope.fault("SpecError", "NothingDefined", text, words=words)
    host = scope.at("virtualhost")
    if root.jwt_providers and (root.tls is None or not root.tls.secret_name):
        words = "Spec.VirtualHost.JWTProviders can only be defined for root HTTPProxies that terminate TLS"
        place = host.at("jwtProviders")
        place.error("JWTVerificationError", "JWTVerificationNotPermitted", _ENDS_NO_TLS, words=words)
    if root.authorization is not None and root.authorization.extension_ref.name and root.tls is None:
        field = "Spec.VirtualHost.Authorization.ExtensionServiceRef"
        words = f"{field} can only be defined for root HTTPProxies that terminate TLS"
        host.at("authorization").error("AuthError", "AuthNotPermitted", _ENDS_NO_TLS, words=words)
    if root.ip_allow_policy and root.ip_deny_policy:
        text = "ipAllowPolicy and ipDenyPolicy exclude each other"
        # Misspelt there as well.
        fields = "Spec.VirtualHost.IPAllowFilterPolicy and Spec.VirtualHost.IPDepnyFilterPolicy"
        words = f"{fields} cannot both be defined."
        host.error("IPFilterError", "IncompatibleIPAddressFilters", text, words=words)
    if root.tls is not None:
        _check_tls(root.tls, site)
        fallback_certificate.check_guards(root, host)
    if spec.tcpproxy is not None and root.tls is None:
        words = "Spec.TCPProxy requires that either Spec.TLS.Passthrough or Spec.TLS.SecretName be set"
        scope.at("tcpproxy").error("TCPProxyError", "TLSMustBeConfigured", _ENDS_NO_TLS, words=words)


_ENDS_NO_TLS = "needs virtualhost.tls"


def _check_tls(tls: TLS, site: SiteDraft) -> None:
    scope = site.root.at("virtualhost.tls")
    if not tls.passthrough:
        return
    if tls.enable_fallback_certificate:
        text = "passthrough and enableFallbackCertificate exclude each other"
        words = "Spec.VirtualHost.TLS: both Passthrough and enableFallbackCertificate were specified"
        scope.error("TLSError", "TLSIncompatibleFeatures", text, words=words)
    if tls.secret_name.strip():
        text = "passthrough and secretName exclude each other"
        words = "Spec.VirtualHost.TLS: both Passthrough and SecretName were specified"
        scope.error("TLSError", "TLSConfigNotValid", text, words=words)
    if tls.client_validation is not None:
        text = "passthrough and clientValidation exclude each other"
        words = "Spec.VirtualHost.TLS passthrough cannot be combined with tls.clientValidation"
        scope.error("TLSError", "TLSIncompatibleFeatures", text, words=words)


def _assembled(host: str, site: SiteDraft, ending: Ending) -> ir.Site | None:
    drafts = in_order(with_both_forms(site.drafts))
    if not drafts and ending.tunnel is None:
        return None
    routes = tuple(draft.route for draft in drafts)
    clusters = tuple(site.clusters[name] for name in named_by(routes, ending.tunnel))
    if not ending.secure:
        return ir.Site(host=host, http=routes, clusters=clusters)
    plain = tuple(_on_plain_http(draft) for draft in drafts)
    https = routes if ending.tls is not None and ending.tunnel is None else ()
    return ir.Site(
        host=host,
        http=plain,
        https=https,
        tls=ending.tls,
        tunnel=ending.tunnel,
        own_chain=ending.own_chain,
        fallback=ending.fallback,
        clusters=clusters,
    )


def _on_plain_http(draft: Draft) -> ir.Route:
    if draft.insecure:
        return draft.route
    return ir.Route(name=draft.route.name, match=draft.route.match, action=_TO_HTTPS)
