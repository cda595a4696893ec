"""Conditions and policies that the routes and services of an HTTPProxy carry. Durations are Go duration strings."""

from isoline.objects.model import Model


class HeaderMatchCondition(Model, frozen=True, kw_only=True):
    """A condition on one request header. `treat_missing_as_empty` counts for the negative matches only."""

    name: str
    present: bool = False
    notpresent: bool = False
    contains: str = ""
    notcontains: str = ""
    ignore_case: bool = False
    exact: str = ""
    notexact: str = ""
    regex: str = ""
    treat_missing_as_empty: bool = False


class QueryParameterMatchCondition(Model, frozen=True, kw_only=True):
    """A condition on one query parameter; exactly one kind of match is set."""

    name: str
    exact: str = ""
    prefix: str = ""
    suffix: str = ""
    regex: str = ""
    contains: str = ""
    ignore_case: bool = False
    present: bool = False


class MatchCondition(Model, frozen=True, kw_only=True):
    """One condition on the path (prefix, exact or regex), a header or a query parameter."""

    prefix: str = ""
    exact: str = ""
    regex: str = ""
    header: HeaderMatchCondition | None = None
    query_parameter: QueryParameterMatchCondition | None = None


class HeaderValue(Model, frozen=True, kw_only=True):
    name: str
    value: str


class HeadersPolicy(Model, frozen=True, kw_only=True):
    """Headers to set (replacing what is there) and to remove."""

    set: tuple[HeaderValue, ...] = ()
    remove: tuple[str, ...] = ()


class CookiePathRewrite(Model, frozen=True, kw_only=True):
    value: str


class CookieDomainRewrite(Model, frozen=True, kw_only=True):
    value: str


class CookieRewritePolicy(Model, frozen=True, kw_only=True):
    """Attributes to change of the upstream's cookie of that name."""

    name: str
    path_rewrite: CookiePathRewrite | None = None
    domain_rewrite: CookieDomainRewrite | None = None
    secure: bool | None = None
    same_site: str | None = None


class TimeoutPolicy(Model, frozen=True, kw_only=True):
    """Go durations, or `infinity`; empty means the default."""

    response: str = ""
    idle: str = ""
    idle_connection: str = ""


class RetryPolicy(Model, frozen=True, kw_only=True):
    """`count` 0 means 1, -1 switches retries off."""

    count: int = 1
    per_try_timeout: str = ""
    retry_on: tuple[str, ...] = ()
    retriable_status_codes: tuple[int, ...] = ()


class HTTPStatusRange(Model, frozen=True, kw_only=True):
    """Status codes from `start` to before `end`."""

    start: int
    end: int


class HealthCheckPolicy(Model, frozen=True, kw_only=True):
    """An HTTP check of each endpoint by Envoy. Zero means the default: 10 s, 2 s, 3 and 2."""

    path: str = ""
    host: str = ""
    interval_seconds: int = 0
    timeout_seconds: int = 0
    unhealthy_threshold_count: int = 0
    healthy_threshold_count: int = 0
    expected_statuses: tuple[HTTPStatusRange, ...] = ()


class TCPHealthCheckPolicy(Model, frozen=True, kw_only=True):
    interval_seconds: int = 0
    timeout_seconds: int = 0
    unhealthy_threshold_count: int = 0
    healthy_threshold_count: int = 0


class HeaderHashOptions(Model, frozen=True, kw_only=True):
    header_name: str


class QueryParameterHashOptions(Model, frozen=True, kw_only=True):
    parameter_name: str


class RequestHashPolicy(Model, frozen=True, kw_only=True):
    terminal: bool = False
    header_hash_options: HeaderHashOptions | None = None
    query_parameter_hash_options: QueryParameterHashOptions | None = None
    hash_source_ip: bool = False


class LoadBalancerPolicy(Model, frozen=True, kw_only=True):
    """`strategy`: RoundRobin (also when empty or unknown), Random, WeightedLeastRequest, Cookie, RequestHash."""

    strategy: str = ""
    request_hash_policies: tuple[RequestHashPolicy, ...] = ()


class ReplacePrefix(Model, frozen=True, kw_only=True):
    """An empty `prefix` applies to every prefix that has no entry of its own."""

    prefix: str = ""
    replacement: str


class PathRewritePolicy(Model, frozen=True, kw_only=True):
    replace_prefix: tuple[ReplacePrefix, ...] = ()


class HTTPRequestRedirectPolicy(Model, frozen=True, kw_only=True):
    """What changes in the location; `path` and `prefix` exclude each other."""

    scheme: str | None = None
    hostname: str | None = None
    port: int | None = None
    status_code: int = 302
    path: str | None = None
    prefix: str | None = None


class HTTPDirectResponsePolicy(Model, frozen=True, kw_only=True):
    status_code: int
    body: str = ""


class HTTPInternalRedirectPolicy(Model, frozen=True, kw_only=True):
    """Redirects that Envoy follows itself. `allow_cross_scheme_redirect`: Always, Never, SafeOnly."""

    max_internal_redirects: int | None = None
    redirect_response_codes: tuple[int, ...] = ()
    allow_cross_scheme_redirect: str = "Never"
    deny_repeated_route_redirect: bool = False


class SlowStartPolicy(Model, frozen=True, kw_only=True):
    window: str
    aggression: str = "1.0"
    min_weight_percent: int = 10


class UpstreamValidation(Model, frozen=True, kw_only=True):
    """The CA bundle's Secret (`namespace/name` or `name`) and the names that the certificate may have."""

    ca_secret: str
    subject_name: str
    subject_names: tuple[str, ...] = ()
