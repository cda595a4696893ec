"""What looks after an App in a cluster: its certificate, its figures, and how many replicas must stay."""

from collections.abc import Iterator

from isoline.apps.names import PORT_NAME, metadata, selector, tls_secret_name
from isoline.apps.profile import Profile
from isoline.apps.target import Offered
from isoline.objects.app import App, AppMetrics
from isoline.objects.disruption import PodDisruptionBudget, PodDisruptionBudgetSpec
from isoline.objects.issuers import IssuerReference
from isoline.objects.meta import LabelSelector
from isoline.objects.operators import Certificate, ServiceMonitor


def budgets(app: App) -> Iterator[PodDisruptionBudget]:
    """Yield the budget of an App of several replicas: nodes are emptied of them one by one.

    A single replica has none, for a budget could only keep its node from being emptied.
    """
    if app.spec.scale is not None and app.spec.scale.min > 1:
        yield PodDisruptionBudget(
            metadata=metadata(app, app.metadata.name),
            spec=PodDisruptionBudgetSpec(
                max_unavailable=1,
                selector=LabelSelector(match_labels=selector(app)),
                # A replica that does not work anyway must not hold a node.
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
        )


def issuer_of(app: App, offered: Offered) -> IssuerReference | None:
    """Return who issues an App's certificate by the App's words, or else by the gateway's; None: nobody is asked."""
    tls = app.spec.tls
    if tls is not None and (tls.issuer is not None or tls.secret_name or tls.self_signed):
        return tls.issuer
    return offered.issuer


def certificates(app: App, offered: Offered) -> Iterator[Certificate]:
    """Yield the Certificate of an App for all its hosts, where somebody is to issue it and cert-manager is there."""
    issuer = issuer_of(app, offered)
    if issuer is None or "Certificate" not in offered.kinds:
        return
    name = tls_secret_name(app)
    yield Certificate(
        metadata=metadata(app, name),
        spec={
            "secretName": name,
            "dnsNames": [host.lower() for host in app.spec.hosts],
            "issuerRef": {"group": "cert-manager.io", "kind": issuer.kind, "name": issuer.name},
            # A key that has leaked is of no use for longer than its certificate.
            "privateKey": {"rotationPolicy": "Always"},
        },
    )


def metrics_of(app: App, profile: Profile | None) -> AppMetrics | None:
    """Return where an App's figures are, by its own words or its profile's; None: it has none."""
    if app.spec.metrics is not None or profile is None or not profile.metrics:
        return app.spec.metrics
    return AppMetrics(path=profile.metrics)


def is_monitored(app: App, profile: Profile | None, offered: Offered) -> bool:
    """Whether a Prometheus of the cluster reads an App's figures."""
    return "ServiceMonitor" in offered.kinds and metrics_of(app, profile) is not None


def service_monitors(app: App, profile: Profile | None, offered: Offered) -> Iterator[ServiceMonitor]:
    """Yield the ServiceMonitor of an App that has figures, where the Prometheus operator is there."""
    metrics = metrics_of(app, profile)
    if metrics is not None and is_monitored(app, profile, offered):
        endpoint = {"port": PORT_NAME, "path": metrics.path, "interval": metrics.interval}
        yield ServiceMonitor(
            metadata=metadata(app, app.metadata.name),
            spec={"selector": {"matchLabels": selector(app)}, "endpoints": [endpoint]},
        )
