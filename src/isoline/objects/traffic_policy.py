"""isoline.dev/v1alpha1 TrafficPolicy: what HTTPProxy and Ingress have no word for, attached to them from outside."""

from typing import Annotated, Literal

from msgspec import Meta

from isoline.objects.formats import Host
from isoline.objects.meta import Condition, Object
from isoline.objects.model import Model, constant
from isoline.objects.traffic_policy_access import OIDC, APIKeys, BasicAuth, JWTClaims
from isoline.objects.traffic_policy_answers import ErrorPage, PolicyAccessLog, RequestID
from isoline.objects.traffic_policy_load import (
    HTTP3,
    AdaptiveConcurrency,
    Bandwidth,
    ClientCertificate,
    Compression,
    EndpointConcurrency,
    FailoverService,
)
from isoline.objects.traffic_policy_requests import PathRewrite, RateLimit, RequestBody, RequestHeaders
from isoline.objects.traffic_policy_upstreams import Hedging, OutlierDetection, Retry, SessionCookie, Timeouts

TARGET_GROUPS = {
    "HTTPProxy": "projectcontour.io",
    "Ingress": "networking.k8s.io",
    "Service": "",
    "App": "isoline.dev",
}
"""The kinds that a policy can be attached to, and the group of each."""


class TargetReference(Model, frozen=True, kw_only=True):
    """An object in the policy's namespace, or one route of it."""

    group: Annotated[str, Meta(description="API group of the kind. Unset: the kind's own.")] = ""
    kind: Annotated[Literal["HTTPProxy", "Ingress", "Service", "App"], Meta(description="Kind of the object.")]
    name: Annotated[str, Meta(description="Name of the object.")]
    section_name: Annotated[
        str,
        Meta(
            description="One route of an HTTPProxy or Ingress: where it stands, such as routes[2] or "
            "rules[0].http.paths[1], or its own path condition, such as /predict. Unset: all of the object."
        ),
    ] = ""


class TrafficPolicySpec(Model, frozen=True, kw_only=True):
    """Settings of routes and of their upstreams. Of several policies the most specific counts, field by field."""

    target_refs: Annotated[tuple[TargetReference, ...], Meta(description="What the policy is attached to.")]
    hosts: Annotated[
        tuple[Host, ...], Meta(description="Further hosts at which the targeted root HTTPProxies answer.")
    ] = ()
    catch_all: Annotated[
        bool, Meta(description="Whether the targeted root HTTPProxy answers at every host that nobody else has.")
    ] = False
    request_body: Annotated[RequestBody | None, Meta(description="Limit of request bodies.")] = None
    request_headers: Annotated[RequestHeaders | None, Meta(description="Limit of request headers.")] = None
    rate_limits: Annotated[tuple[RateLimit, ...], Meta(description="How many requests may come.")] = ()
    path_rewrite: Annotated[PathRewrite | None, Meta(description="Rewrites the path that upstreams see.")] = None
    timeouts: Annotated[Timeouts | None, Meta(description="Timeouts of routes that have none of their own.")] = None
    retry: Annotated[Retry | None, Meta(description="How requests are tried again.")] = None
    hedging: Annotated[Hedging | None, Meta(description="A second try beside a slow first one.")] = None
    outlier_detection: Annotated[
        OutlierDetection | None, Meta(description="Takes endpoints that fail out of balancing for a while.")
    ] = None
    session_cookie: Annotated[
        SessionCookie | None, Meta(description="Keeps a client with one endpoint by a cookie of the gateway's.")
    ] = None
    error_pages: Annotated[
        tuple[ErrorPage, ...], Meta(description="Answers in place of errors, of the app's or of the gateway's.")
    ] = ()
    access_log: Annotated[PolicyAccessLog | None, Meta(description="Which requests are logged, and where.")] = None
    request_id: Annotated[RequestID | None, Meta(description="The request's identity in answers.")] = None
    api_keys: Annotated[APIKeys | None, Meta(description="Lets in who brings an API key.")] = None
    basic_auth: Annotated[BasicAuth | None, Meta(description="Lets in who brings a user name and password.")] = None
    oidc: Annotated[OIDC | None, Meta(description="Lets browsers in after a login.")] = None
    jwt_claims: Annotated[JWTClaims | None, Meta(description="What verified tokens say, and must say.")] = None
    any_credential: Annotated[
        bool,
        Meta(
            description="Whether one of this policy's apiKeys, basicAuth and oidc, or a token of the jwtProviders that "
            "the HTTPProxy has, is enough to come in; else all of them are demanded."
        ),
    ] = False
    compression: Annotated[Compression | None, Meta(description="Compresses answers.")] = None
    bandwidth: Annotated[Bandwidth | None, Meta(description="How much may go through in a second.")] = None
    endpoint_concurrency: Annotated[
        EndpointConcurrency | None, Meta(description="How many requests an endpoint works on at a time.")
    ] = None
    adaptive_concurrency: Annotated[
        AdaptiveConcurrency | None, Meta(description="How many requests go through at a time, found by measuring.")
    ] = None
    client_certificate: Annotated[
        ClientCertificate | None, Meta(description="The certificate that upstreams are shown.")
    ] = None
    failover: Annotated[
        tuple[FailoverService, ...],
        Meta(description="Services that take over, the first first, while the one before has too few good endpoints."),
    ] = ()
    http3: Annotated[HTTP3 | None, Meta(description="Serves the hosts over HTTP/3 as well.")] = None


class TrafficPolicyStatus(Model, frozen=True, kw_only=True):
    """What has become of the policy."""

    conditions: Annotated[tuple[Condition, ...], Meta(description="What is in order and what is not.")] = ()
    observed_generation: Annotated[int, Meta(description="Generation of the spec that this status is of.")] = 0


class TrafficPolicy(Object, frozen=True, kw_only=True):
    """Settings of traffic, attached to HTTPProxies, Ingresses, Services and Apps of its namespace."""

    api_version: Literal["isoline.dev/v1alpha1"] = constant("isoline.dev/v1alpha1")
    kind: Literal["TrafficPolicy"] = constant("TrafficPolicy")
    spec: TrafficPolicySpec
    status: TrafficPolicyStatus = TrafficPolicyStatus()


SETTINGS = tuple(name for name in TrafficPolicySpec.__struct_fields__ if name != "target_refs")
"""The attributes of a spec that are settings: each is taken whole from one policy."""
