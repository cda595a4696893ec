"""What an App asks of traffic that HTTPProxy has no word for."""

from collections.abc import Iterator

from isoline.apps.names import metadata
from isoline.objects.app import App
from isoline.objects.traffic_policy import TargetReference, TrafficPolicy, TrafficPolicySpec
from isoline.objects.traffic_policy_requests import RequestBody
from isoline.objects.traffic_policy_upstreams import SessionCookie

# An App is served on HTTPS; plain HTTP redirects there.
AFFINITY = SessionCookie(name="isoline-affinity", secure=True)


def policies(app: App) -> Iterator[TrafficPolicy]:
    """Yield the TrafficPolicy of an App, if it asks for anything. It is about the App: others may be more specific."""
    body = app.spec.limits.body if app.spec.limits is not None else None
    cookie = app.spec.affinity == "Cookie"
    if body is None and not cookie:
        return
    yield TrafficPolicy(
        metadata=metadata(app, app.metadata.name),
        spec=TrafficPolicySpec(
            target_refs=(TargetReference(kind="App", name=app.metadata.name),),
            request_body=None if body is None else RequestBody(max_size=body),
            session_cookie=AFFINITY if cookie else None,
        ),
    )
