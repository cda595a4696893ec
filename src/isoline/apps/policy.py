"""What an App asks of traffic that HTTPProxy has no word for."""

from collections.abc import Iterator
from typing import Any

from isoline.apps.defaults import affinity
from isoline.apps.names import metadata
from isoline.apps.profile import Profile
from isoline.objects.app import App, Limits
from isoline.objects.app_access import Access
from isoline.objects.traffic_policy import TargetReference, TrafficPolicy, TrafficPolicySpec
from isoline.objects.traffic_policy_access import APIKeys, BasicAuth
from isoline.objects.traffic_policy_load import EndpointConcurrency
from isoline.objects.traffic_policy_requests import RequestBody
from isoline.objects.traffic_policy_upstreams import SessionCookie

# An App is served on HTTPS; plain HTTP redirects there.
AFFINITY = SessionCookie(name="isoline-affinity", secure=True)


def policies(app: App, profile: Profile | None) -> Iterator[TrafficPolicy]:
    """Yield the TrafficPolicy of an App, if it asks for anything. It is about the App: others may be more specific."""
    access, limits = app.spec.access or Access(), app.spec.limits or Limits()
    settings = {
        "request_body": None if limits.body is None else RequestBody(max_size=limits.body),
        "endpoint_concurrency": None
        if limits.concurrency is None
        else EndpointConcurrency(max_requests=limits.concurrency),
        "session_cookie": AFFINITY if affinity(app, profile) == "Cookie" else None,
        "api_keys": None
        if access.api_keys is None
        else APIKeys(secret_name=access.api_keys.secret_name, header=access.api_keys.header),
        "basic_auth": None
        if access.basic is None
        else BasicAuth(secret_name=access.basic.secret_name, key=access.basic.key),
    }
    asked: dict[str, Any] = {name: setting for name, setting in settings.items() if setting is not None}
    if asked:
        target = TargetReference(kind="App", name=app.metadata.name)
        spec = TrafficPolicySpec(target_refs=(target,), **asked)
        yield TrafficPolicy(metadata=metadata(app, app.metadata.name), spec=spec)
