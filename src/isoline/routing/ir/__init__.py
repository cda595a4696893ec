"""What a gateway is to do, said without Kubernetes and without Envoy.

Frozen values only: two equal values mean the same traffic. The compiler makes them, the renderer reads them, neither
knows the other. Durations are seconds; `None` means "not said, the gateway's default holds", `NEVER` means "no limit".
"""

from isoline.routing.ir.base import IR, NEVER
from isoline.routing.ir.cookies import CookieRewrite
from isoline.routing.ir.cors import Cors, Origin
from isoline.routing.ir.gateway import AccessLog, Gateway, Listener, RateLimitService
from isoline.routing.ir.headers import Header, HeaderEdits
from isoline.routing.ir.matching import HeaderMatch, Match, PathKind, PathMatch, QueryMatch, ValueKind
from isoline.routing.ir.rate_limits import GlobalLimit, LimitKey, LocalLimit
from isoline.routing.ir.routes import (
    NO_CLUSTER,
    AddressFilter,
    AddressRange,
    Backoff,
    FollowRedirects,
    Forward,
    HashBy,
    HttpsRedirect,
    Mirror,
    Redirect,
    RegexRewrite,
    Respond,
    Retry,
    Route,
    Share,
)
from isoline.routing.ir.sites import (
    Certificate,
    PrivateBytes,
    Site,
    Tls,
    TlsVersion,
)
from isoline.routing.ir.traffic import ErrorPage, HeaderLimits, SessionCookie, Traffic
from isoline.routing.ir.upstreams import (
    Balance,
    Cluster,
    Dns,
    DnsFamily,
    Endpoint,
    Endpoints,
    HealthCheck,
    Limits,
    OutlierDetection,
    SlowStart,
    Trust,
    Upstream,
)

__all__ = [
    "IR",
    "NEVER",
    "NO_CLUSTER",
    "AccessLog",
    "AddressFilter",
    "AddressRange",
    "Backoff",
    "Balance",
    "Certificate",
    "Cluster",
    "CookieRewrite",
    "Cors",
    "Dns",
    "DnsFamily",
    "Endpoint",
    "Endpoints",
    "ErrorPage",
    "FollowRedirects",
    "Forward",
    "Gateway",
    "GlobalLimit",
    "HashBy",
    "Header",
    "HeaderEdits",
    "HeaderLimits",
    "HeaderMatch",
    "HealthCheck",
    "HttpsRedirect",
    "LimitKey",
    "Limits",
    "Listener",
    "LocalLimit",
    "Match",
    "Mirror",
    "Origin",
    "OutlierDetection",
    "PathKind",
    "PathMatch",
    "PrivateBytes",
    "QueryMatch",
    "RateLimitService",
    "Redirect",
    "RegexRewrite",
    "Respond",
    "Retry",
    "Route",
    "SessionCookie",
    "Share",
    "Site",
    "SlowStart",
    "Tls",
    "TlsVersion",
    "Traffic",
    "Trust",
    "Upstream",
    "ValueKind",
]
