"""What an App asks of traffic that HTTPProxy has no word for."""

from collections.abc import Iterator
from typing import Any

from isoline.apps import access
from isoline.apps.defaults import affinity
from isoline.apps.names import metadata
from isoline.apps.profile import Profile
from isoline.objects.app import App, Limits
from isoline.objects.traffic_policy import TargetReference, TrafficPolicy, TrafficPolicySpec
from isoline.objects.traffic_policy_load import EndpointConcurrency
from isoline.objects.traffic_policy_requests import RequestBody
from isoline.objects.traffic_policy_upstreams import SessionCookie

# An App is served on HTTPS; plain HTTP redirects there.
AFFINITY = SessionCookie(name="isoline-affinity", secure=True)


def policies(app: App, profile: Profile | None) -> Iterator[TrafficPolicy]:
    """Yield the TrafficPolicy of an App, if it asks for anything. It is about the App: others may be more specific."""
    limits = app.spec.limits or Limits()
    settings = {
        "request_body": None if limits.body is None else RequestBody(max_size=limits.body),
        "endpoint_concurrency": None
        if limits.concurrency is None
        else EndpointConcurrency(max_requests=limits.concurrency),
        "session_cookie": AFFINITY if affinity(app, profile) == "Cookie" else None,
        **access.settings(app),
    }
    asked: dict[str, Any] = {name: setting for name, setting in settings.items() if setting is not None}
    if asked:
        target = TargetReference(kind="App", name=app.metadata.name)
        spec = TrafficPolicySpec(target_refs=(target,), **asked)
        yield TrafficPolicy(metadata=metadata(app, app.metadata.name), spec=spec)
