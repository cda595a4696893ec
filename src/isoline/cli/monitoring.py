"""What a cluster asks a control plane: whether it lives, whether it is ready, and its figures."""

from collections.abc import Callable, Iterator, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from isoline.cluster.kubernetes.source import KubernetesSource
from isoline.gateway.flow import Flow
from isoline.version import VERSION
from isoline.xds.server import Server


class Figures(Collector):
    """Read when they are asked for; nothing is counted twice."""

    def __init__(self, source: KubernetesSource, server: Server, flow: Flow) -> None:
        self._source = source
        self._server = server
        self._flow = flow

    def collect(self) -> Iterator[Metric]:
        """As Prometheus' client asks for it."""
        build = GaugeMetricFamily("isoline_build_info", "The version that runs.", labels=["version"])
        build.add_metric([VERSION], 1)
        yield build
        ready = self._flow.caught_up.is_set()
        yield _gauge("isoline_ready", "Whether everything that was there at the start is served.", ready)
        restored = self._server.serves_kept
        yield _gauge("isoline_snapshot_served", "Whether Envoys that start get what an earlier run kept.", restored)
        yield _gauge("isoline_leader", "Whether this replica writes statuses.", self._source.leading)
        yield from figures_of_kept(self._flow.kept_certificates)
        yield from self._source_figures()
        yield from self._xds_figures()

    def _source_figures(self) -> Iterator[Metric]:
        store, statuses = self._source.store, self._source.statuses
        objects = GaugeMetricFamily("isoline_objects", "Objects that are known.", labels=["kind"])
        for kind in store.kinds():
            objects.add_metric([kind], store.count(kind))
        yield objects
        connectivity = self._source.connectivity()
        yield _gauge("isoline_source_following", "Whether all is followed, and so up to date.", connectivity.following)
        yield _gauge("isoline_source_since_seconds", "Since when that is so, as epoch seconds.", connectivity.since)
        following = GaugeMetricFamily(
            "isoline_kubernetes_following", "Whether a kind is followed.", labels=["kind", "namespace"]
        )
        relists = CounterMetricFamily(
            "isoline_kubernetes_lists", "Times that a kind was listed as a whole.", labels=["kind", "namespace"]
        )
        for each in self._source.followed:
            where = [each.kind.name, each.namespace or ""]
            following.add_metric(where, float(each.state == "following"))
            relists.add_metric(where, each.lists)
        yield following
        yield relists
        referenced = len(self._source.secrets)
        yield _gauge("isoline_kubernetes_referenced_secrets", "Secrets followed one by one.", referenced)
        yield _gauge("isoline_statuses_waiting", "Statuses that are not written yet.", len(statuses))
        yield _counter("isoline_statuses_written", "Statuses written.", statuses.written)
        yield _counter("isoline_statuses_failed", "Tries to write a status that failed.", statuses.failed)

    def _xds_figures(self) -> Iterator[Metric]:
        stats = self._server.stats
        yield _gauge("isoline_xds_envoys", "Envoys that are connected.", len(self._server.streams))
        yield _counter("isoline_xds_streams", "Streams that Envoys opened.", stats.streams)
        yield _counter("isoline_xds_responses", "Responses sent to Envoys.", stats.pushes)
        yield _counter("isoline_xds_resources", "Resources sent to Envoys.", stats.resources)
        yield _counter("isoline_xds_removals", "Resources taken from Envoys.", stats.removals)
        yield _counter("isoline_xds_acks", "Responses that Envoys accepted.", stats.acks)
        yield _counter("isoline_xds_nacks", "Responses that Envoys refused.", stats.nacks)


class MonitoringServer:
    """`/healthz`, `/readyz` and `/metrics` at an address."""

    def __init__(self, figures: Collector, *, host: str, port: int, ready: Callable[[], str]) -> None:
        """`ready` returns what is being waited for, nothing when it is there."""
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(figures)
        self._ready = ready
        self._host = host
        self._port = port
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        # Whether the API server answers is no reason to be killed: traffic is served without it.
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        waiting = self._ready()
        return web.Response(text=f"{waiting or 'ok'}\n", status=503 if waiting else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def figures_of_kept(certificates: Mapping[str, float]) -> Iterator[Metric]:
    """How many certificates are served without their Secret, and when each ends; given by name and epoch seconds."""
    without = "that are served without a good Secret"
    yield _gauge("isoline_certificates_kept", f"Certificates {without}.", len(certificates))
    ends = GaugeMetricFamily(
        "isoline_kept_certificate_expiration_timestamp_seconds",
        f"When those certificates end {without}, as epoch seconds.",
        labels=["secret"],
    )
    for secret, end in certificates.items():
        ends.add_metric([secret], end)
    yield ends


def _gauge(name: str, help: str, value: float) -> Metric:  # noqa: A002 - Prometheus' word
    return GaugeMetricFamily(name, help, value=float(value))


def _counter(name: str, help: str, value: float) -> Metric:  # noqa: A002 - Prometheus' word
    return CounterMetricFamily(name, help, value=float(value))
