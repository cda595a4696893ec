"""TrafficPolicies: whose settings count, what they change, and what is said of them."""

import pytest

from isoline.cluster.store import Store
from isoline.objects import HTTPProxy, Ingress, Key, Object, TrafficPolicy
from isoline.objects.meta import OwnerReference
from isoline.routing import ir
from isoline.routing.compiler import Compiled, compile_site
from isoline.routing.dependencies import Unit
from isoline.routing.gateway import gateway_from_config
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import Settings
from isoline.routing.statuses import ProxyStatus
from isoline.routing.view import View
from unit.routing.support import HOST, objects, proxy, root, secret, service, store_of

A, B = service("a"), service("b")
ROUTES = "routes: [{conditions: [{prefix: /x}], services: [{name: a, port: 80}]}, {services: [{name: b, port: 80}]}]"


def policy(spec: str, target: str = "{kind: HTTPProxy, name: voice}", name: str = "p", age: str = "") -> TrafficPolicy:
    """Return a policy; `age` is the year in which it was made."""
    text = f"""\
        apiVersion: isoline.dev/v1alpha1
        kind: TrafficPolicy
        metadata: {{name: {name}, namespace: default}}
        spec: {{targetRefs: [{target}], {spec}}}
        """
    (item,) = objects(text)
    assert isinstance(item, TrafficPolicy)
    return item.with_metadata(creation_timestamp=f"{age}-01-01T00:00:00Z") if age else item


def site(*items: Object) -> ir.Site:
    found = compile_site(HOST, View(store_of(*items), Settings())).site
    assert found is not None
    return found


def limits(*items: Object) -> dict[str, int | None]:
    """Return the body limit of each path."""
    found = site(*items)
    asked = {each.match.path.value: each.traffic or found.traffic for each in found.http}
    return {path: None if traffic is None else traffic.request_body for path, traffic in asked.items()}


def forward(*items: Object) -> ir.Forward:
    """Return how the one route of a world forwards."""
    action = site(*items).http[0].action
    assert isinstance(action, ir.Forward)
    return action


def status(item: TrafficPolicy, *others: Object) -> ProxyStatus:
    host = f"!policy default/{item.metadata.name}"
    return compile_site(host, View(store_of(item, *others), Settings())).statuses[item.key]


def said(found: ProxyStatus) -> list[tuple[str, str, str]]:
    return [(each.type, each.reason, each.message.split(": ")[0]) for each in (*found.errors, *found.warnings)]


def body(size: int) -> str:
    return f"requestBody: {{maxSize: {size}}}"


ONE = "routes: [{services: [{name: a, port: 80}]}]"


def one() -> tuple[HTTPProxy, Object]:
    return root(ONE), A


def test_of_an_object_it_holds_for_all_routes_and_is_said_once() -> None:
    found = site(root(ROUTES), A, B, policy(body(7)))
    assert found.traffic == ir.Traffic(request_body=7)
    assert [route.traffic for route in found.http] == [None, None]


@pytest.mark.parametrize("section", ["routes[0]", "/x"])
def test_a_route_is_named_by_its_place_or_by_its_path(section: str) -> None:
    named = policy(body(1), f'{{kind: HTTPProxy, name: voice, sectionName: "{section}"}}')
    assert limits(root(ROUTES), A, B, named) == {"/x": 1, "/": None}


def test_the_most_specific_counts_field_by_field() -> None:
    item = root(ROUTES).with_metadata(
        owner_references=(OwnerReference(api_version="isoline.dev/v1alpha1", kind="App", name="voice", uid="1"),)
    )
    policies = [
        policy(body(1), "{kind: HTTPProxy, name: voice, sectionName: /x}", "route"),
        policy(f"{body(2)}, requestHeaders: {{maxCount: 2}}", "{kind: HTTPProxy, name: voice}", "proxy"),
        policy(f"{body(3)}, requestID: {{}}", "{kind: Service, name: a}", "service"),
        policy(f"{body(4)}, requestID: {{header: x-app}}, requestHeaders: {{maxCount: 4}}", "{kind: App, name: voice}"),
    ]
    found = site(item, A, B, *policies)
    asked = {each.match.path.value: each.traffic or found.traffic for each in found.http}
    headers = ir.HeaderLimits(count=2)
    assert asked["/x"] == ir.Traffic(request_body=1, request_headers=headers, request_id="x-request-id")
    assert asked["/"] == ir.Traffic(request_body=2, request_headers=headers, request_id="x-app")


def test_what_includes_a_child_is_less_specific_than_the_child() -> None:
    parent = root("includes: [{name: child, namespace: other}]")
    child = proxy("routes: [{services: [{name: a, port: 80}]}]", "child", "other")
    theirs = service("a", "other")
    outer = policy(f"{body(1)}, requestID: {{}}")
    assert limits(parent, child, theirs, outer) == {"/": 1}
    inner = policy(body(2), "{kind: HTTPProxy, name: child}", "inner").with_metadata(namespace="other")
    found = site(parent, child, theirs, outer, inner)
    assert found.traffic == ir.Traffic(request_body=2, request_id="x-request-id")


def test_a_policy_is_about_its_own_namespace() -> None:
    assert limits(*one(), policy(body(1)).with_metadata(namespace="other")) == {"/": None}


def test_ingresses_are_targets_too() -> None:
    (ingress,) = objects(
        f"""\
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: voice, namespace: default}}
        spec:
          rules:
          - host: {HOST}
            http:
              paths:
              - {{path: /x, pathType: Prefix, backend: {{service: {{name: a, port: {{number: 80}}}}}}}}
              - {{path: /, pathType: Prefix, backend: {{service: {{name: b, port: {{number: 80}}}}}}}}
        """
    )
    assert isinstance(ingress, Ingress)
    whole = policy(body(1), "{kind: Ingress, name: voice}")
    single = policy(body(2), '{kind: Ingress, name: voice, sectionName: "rules[0].http.paths[1]"}', "single")
    assert limits(ingress, A, B, whole, single) == {"/x": 1, "/": 2}


def test_of_two_for_one_target_the_older_counts_and_the_other_is_told() -> None:
    older = policy(body(1), name="z", age="2020")
    younger = policy(f"{body(2)}, requestID: {{}}", name="a", age="2021")
    world = (*one(), older, younger)
    assert site(*world).traffic == ir.Traffic(request_body=1, request_id="x-request-id")
    assert said(status(older, *world)) == []
    assert said(status(younger, *world)) == [("Conflicted", "Conflicted", "spec.targetRefs[0]")]
    nothing_left = policy(body(2), name="a", age="2021")
    assert ("Accepted", "Conflicted", "spec") in said(status(nothing_left, *one(), older))


def test_a_policy_of_a_route_overrides_the_objects_and_that_is_no_fault() -> None:
    whole = policy(body(1))
    single = policy(body(2), "{kind: HTTPProxy, name: voice, sectionName: /x}", "single")
    found = status(whole, root(ROUTES), A, B, single)
    assert (found.errors, [each.reason for each in found.warnings]) == ((), ["Overridden"])


@pytest.mark.parametrize(
    ("target", "reason", "field"),
    [
        ("{kind: HTTPProxy, name: gone}", "TargetNotFound", "spec.targetRefs[0]"),
        ("{kind: HTTPProxy, name: voice, sectionName: /y}", "TargetNotFound", "spec.targetRefs[0].sectionName"),
        ("{kind: Service, name: a, sectionName: /y}", "Invalid", "spec.targetRefs[0].sectionName"),
        ("{kind: Service, name: a, group: apps}", "Invalid", "spec.targetRefs[0].group"),
    ],
)
def test_a_target_that_cannot_be_is_told(target: str, reason: str, field: str) -> None:
    assert said(status(policy(body(1), target), *one())) == [("Accepted", reason, field)]


def test_a_policy_without_a_setting_is_told() -> None:
    assert said(status(policy("hosts: []"), *one())) == [("Accepted", "Invalid", "spec")]


INVALID = [
    ("requestBody: {maxSize: 0}", "requestBody.maxSize"),
    ("requestHeaders: {}", "requestHeaders"),
    ("pathRewrite: {regex: '(', substitution: x}", "pathRewrite.regex"),
    ("pathRewrite: {regex: '(a)', substitution: '\\2'}", "pathRewrite.substitution"),
    ("pathRewrite: {regex: '', substitution: x}", "pathRewrite.regex"),
    ("timeouts: {request: 1us}", "timeouts.request"),
    ("retry: {count: 1, retryOn: [5xx, never]}", "retry.retryOn[1]"),
    ("retry: {retryOn: [5xx]}", "retry.count"),
    ("retry: {backOff: {base: 2s, max: 1s}}", "retry.backOff.max"),
    ("hedging: {perTryTimeout: infinity}", "hedging.perTryTimeout"),
    ("outlierDetection: {baseEjectionTime: 20m}", "outlierDetection.maxEjectionTime"),
    ("outlierDetection: {interval: '0'}", "outlierDetection.interval"),
    ("sessionCookie: {name: 'a b'}", "sessionCookie.name"),
    ("sessionCookie: {path: '/;x'}", "sessionCookie.path"),
    ("sessionCookie: {ttl: 1500ms}", "sessionCookie.ttl"),
    ("sessionCookie: {sameSite: None}", "sessionCookie.sameSite"),
    ("errorPages: [{statuses: ['404'], body: x}, {statuses: ['200'], body: x}]", "errorPages[1].statuses[0]"),
    ("errorPages: [{statuses: ['503-500'], body: x}]", "errorPages[0].statuses[0]"),
    ("errorPages: [{statuses: [], body: x}]", "errorPages[0].statuses"),
    ("errorPages: [{statuses: ['404']}]", "errorPages[0]"),
    ("errorPages: [{statuses: ['404'], body: x, contentType: ''}]", "errorPages[0].contentType"),
    ("requestID: {header: 'a b'}", "requestID.header"),
    ("errorPages: [{statuses: ['404'], body: x, service: {name: a, port: 80}}]", "errorPages[0]"),
    ("errorPages: [{statuses: ['404'], service: {name: a, port: 80, path: '/\"'}}]", "errorPages[0].service.path"),
    ("rateLimits: [{requests: 1}, {requests: 1, by: Header}]", "rateLimits[1].header"),
    ("rateLimits: [{requests: 1, header: x-key}]", "rateLimits[0].header"),
    ("rateLimits: [{requests: 1, by: Header, header: ':path'}]", "rateLimits[0].header"),
    ("rateLimits: [{requests: 4294967295, burst: 1}]", "rateLimits[0]"),
]


@pytest.mark.parametrize(("spec", "field"), INVALID)
def test_a_setting_that_cannot_be_is_told_and_left_out(spec: str, field: str) -> None:
    wrong = policy(spec)
    assert said(status(wrong, *one())) == [("Accepted", "Invalid", f"spec.{field}")]
    assert site(*one(), wrong) == site(*one())


def test_timeouts_are_for_routes_that_say_none() -> None:
    wanted = policy("timeouts: {request: 1m, idle: infinity}")
    found = forward(*one(), wanted)
    assert (found.timeout, found.idle_timeout) == (60.0, ir.NEVER)
    own = root("routes: [{services: [{name: a, port: 80}], timeoutPolicy: {response: 5s, idle: 6s}}]")
    found = forward(own, A, wanted)
    assert (found.timeout, found.idle_timeout) == (5.0, 6.0)


def test_retries_keep_what_the_route_says_itself() -> None:
    wanted = policy(
        "retry: {count: 2, retryOn: [reset], perTryTimeout: 3s, backOff: {base: 100ms, max: 1s}, avoidSameHost: false}"
    )
    backoff = ir.Backoff(base=0.1, maximum=1.0)
    plain = ir.Retry(on=("reset",), count=2, per_try_timeout=3.0, backoff=backoff, avoid_same_host=False)
    assert forward(*one(), wanted).retry == plain
    own = root("routes: [{services: [{name: a, port: 80}], retryPolicy: {count: 5}}]")
    assert forward(own, A, wanted).retry == ir.Retry(on=("5xx",), count=5, backoff=backoff, avoid_same_host=False)
    assert forward(*one(), policy("retry: {backOff: {}}")).retry is None


def test_hedging_needs_retries() -> None:
    assert forward(*one(), policy("hedging: {perTryTimeout: 1s}")).retry is None
    both = policy("hedging: {perTryTimeout: 1s}, retry: {count: 1}")
    assert forward(*one(), both).retry == ir.Retry(on=("5xx",), count=1, per_try_timeout=1.0, hedge=True)


def test_a_rewrite_by_an_expression_replaces_that_of_the_prefix() -> None:
    own = root("routes: [{services: [{name: a, port: 80}], pathRewritePolicy: {replacePrefix: [{replacement: /y}]}}]")
    found = forward(own, A, policy(r"pathRewrite: {regex: '^/v([0-9])', substitution: '/\1'}"))
    assert found.prefix_rewrite is None
    assert found.regex_rewrite == ir.RegexRewrite(pattern="^/v([0-9])", substitution=r"/\1")


def test_outlier_detection_makes_another_cluster() -> None:
    (plain,), (changed,) = site(*one()).clusters, site(*one(), policy("outlierDetection: {}")).clusters
    assert plain.name.rpartition("/")[0] == changed.name.rpartition("/")[0]
    assert plain.name != changed.name
    assert changed.outliers == ir.OutlierDetection(
        consecutive_errors=5,
        consecutive_gateway_errors=None,
        interval=10.0,
        base_ejection_time=30.0,
        max_ejection_time=300.0,
        max_ejection_percent=50,
    )


def test_a_policy_of_a_service_is_about_its_cluster_wherever_it_stands() -> None:
    both = root("routes: [{services: [{name: b, port: 80}, {name: a, port: 80}]}]")
    found = site(both, A, B, policy(f"outlierDetection: {{}}, {body(1)}", "{kind: Service, name: a}"))
    assert [cluster.outliers is not None for cluster in found.clusters] == [False, True]
    # Of a route's Services the first speaks for its requests.
    assert found.traffic is None


def test_cookies_and_pages() -> None:
    spec = """\
        sessionCookie: {name: stick, ttl: 1h, path: /app, sameSite: Strict, secure: true, strict: true},
        errorPages: [{statuses: ["404", 500-503], body: gone, contentType: text/plain, status: 410}]"""
    assert site(*one(), policy(spec)).traffic == ir.Traffic(
        session_cookie=ir.SessionCookie(
            name="stick", ttl=3600.0, path="/app", same_site="Strict", secure=True, strict=True
        ),
        error_pages=(
            ir.ErrorPage(statuses=((404, 404), (500, 503)), body="gone", content_type="text/plain", status=410),
        ),
    )


def test_a_page_of_a_service_brings_its_cluster() -> None:
    pages = "errorPages: [{statuses: ['503'], service: {name: b, port: 80, path: /sorry}}]"
    found = site(*one(), B, policy(pages))
    (_, cluster) = found.clusters
    assert cluster.name.startswith("default/b/80/")
    page = ir.ErrorPage(statuses=((503, 503),), cluster=cluster.name, host="b.default", path="/sorry")
    assert found.traffic == ir.Traffic(error_pages=(page,))


@pytest.mark.parametrize(("reference", "field"), [("name: gone, port: 80", "name"), ("name: a, port: 81", "port")])
def test_a_page_of_a_service_that_is_not_there(reference: str, field: str) -> None:
    wrong = policy(f"errorPages: [{{statuses: ['503'], service: {{{reference}}}}}]")
    assert said(status(wrong, *one())) == [("ResolvedRefs", "ServiceNotFound", f"spec.errorPages[0].service.{field}")]
    assert site(*one(), wrong) == site(*one())


def test_rate_limits() -> None:
    limits = "rateLimits: [{requests: 5}, {requests: 2, per: minute, burst: 1, by: Header, header: X-Key}]"
    assert site(*one(), policy(limits)).traffic == ir.Traffic(
        rate_limits=(
            ir.RateLimit(requests=5, interval=1.0, burst=0, by="all"),
            ir.RateLimit(requests=2, interval=60.0, burst=1, by="header", header="x-key"),
        )
    )


def test_a_log_is_one_of_the_gateways() -> None:
    world = (*one(), policy("accessLog: {name: debug, percent: 5}"))
    settings = Settings(access_logs=frozenset({"debug"}))
    found = compile_site(HOST, View(store_of(*world), settings)).site
    assert found is not None
    assert found.traffic == ir.Traffic(access_log=ir.LogChoice(name="debug", percent=5))
    assert said(status(*world[2:], *world[:2])) == [("ResolvedRefs", "AccessLogNotFound", "spec.accessLog.name")]


def test_redirects_to_https_ask_for_nothing() -> None:
    item = proxy(
        f"virtualhost: {{fqdn: {HOST}, tls: {{secretName: tls}}}}\nroutes: [{{services: [{{name: a, port: 80}}]}}]"
    )
    found = site(item, secret(), A, policy(body(1)))
    assert [route.traffic for route in found.http] == [None]
    assert found.traffic == ir.Traffic(request_body=1)


class TestWhatIsCompiledAgain:
    """A change of a policy touches what it is about, and nothing else."""

    def start(self, *items: Object) -> tuple[Scheduler, Store]:
        store = store_of(*items)
        scheduler = Scheduler(
            store,
            settings_of=lambda _: Settings(),
            gateway_of=lambda config: gateway_from_config(config, http_port=80, https_port=443),
        )
        list(scheduler.start())
        return scheduler, store

    def test_a_policy_that_comes_changes_and_goes(self) -> None:
        other = root(ONE, "other", host="other.example.com")
        scheduler, store = self.start(*one(), other)
        mine, status_unit = Unit("site", HOST), Unit("site", "!policy default/p")
        for put, delete in (
            ([policy(body(1))], []),
            ([policy(body(2))], []),
            ([], [Key("TrafficPolicy", "default", "p")]),
        ):
            update = scheduler.apply(store.apply(put, delete))
            assert set(scheduler.recompiled) == {mine, status_unit}
            assert set(update.sites) == {HOST}

    def test_a_policy_of_a_service_touches_the_sites_that_use_it(self) -> None:
        other = root("routes: [{services: [{name: b, port: 80}]}]", "other", host="other.example.com")
        scheduler, store = self.start(*one(), other, B)
        scheduler.apply(store.apply([policy(body(1), "{kind: Service, name: b}")]))
        assert {unit.name for unit in scheduler.recompiled} == {"other.example.com", "!policy default/p"}

    def test_a_target_that_comes_late_clears_the_status(self) -> None:
        wanted = policy(body(1))
        scheduler, store = self.start(wanted, A)
        told = scheduler.apply(store.apply([root(ONE)])).statuses
        assert told[wanted.key] == ProxyStatus()

    def test_an_app_is_looked_at_only_where_it_is_the_owner(self) -> None:
        owned = root(ONE).with_metadata(
            owner_references=(OwnerReference(api_version="isoline.dev/v1alpha1", kind="App", name="voice", uid="1"),)
        )
        other = root(ONE, "other", host="other.example.com")
        scheduler, store = self.start(owned, A, other)
        scheduler.apply(store.apply([policy(body(1), "{kind: App, name: voice}")]))
        assert {unit.name for unit in scheduler.recompiled} == {HOST, "!policy default/p"}


class TestHosts:
    """Further hosts of one object."""

    def compiled(self, host: str, *items: Object) -> Compiled:
        return compile_site(host, View(store_of(*items), Settings()))

    def test_a_root_answers_at_all_of_them_in_the_same_way(self) -> None:
        world = (*one(), policy("hosts: [Voice.example.org, '*.example.net']"))
        for host in ("voice.example.org", "*.example.net"):
            found = self.compiled(host, *world)
            assert found.site is not None
            assert (found.site.host, found.site.http) == (host, site(*world).http)
            assert list(found.statuses) == [world[0].key]

    def test_who_names_a_host_itself_keeps_it_and_the_policy_is_told(self) -> None:
        other = root("routes: [{services: [{name: b, port: 80}]}]", "other", host="voice.example.org")
        giving = policy("hosts: [voice.example.org]", age="2000")
        found = self.compiled("voice.example.org", *one(), B, giving, other.with_metadata(creation_timestamp=None))
        assert found.site is not None
        assert [cluster.name.split("/")[1] for cluster in found.site.clusters] == ["b"]
        assert found.statuses == {other.key: ProxyStatus()}
        assert said(status(giving, *one(), other)) == [("Conflicted", "Conflicted", "spec.hosts[0]")]

    def test_of_two_policies_the_older_gives_the_host(self) -> None:
        other = root("routes: [{services: [{name: b, port: 80}]}]", "other", host="other.example.com")
        older = policy("hosts: [voice.example.org]", "{kind: HTTPProxy, name: other}", "older", "2020")
        younger = policy("hosts: [voice.example.org]", name="a", age="2021")
        found = self.compiled("voice.example.org", *one(), B, other, older, younger)
        assert found.site is not None
        assert [cluster.name.split("/")[1] for cluster in found.site.clusters] == ["b"]
        assert said(status(younger, *one(), B, other, older)) == [("Conflicted", "Conflicted", "spec.hosts[0]")]

    def test_only_a_whole_root_can_be_given_a_host(self) -> None:
        service_only = policy("hosts: [a.example.org]", "{kind: Service, name: a}")
        assert said(status(service_only, *one())) == [("Accepted", "Invalid", "spec.hosts")]

    def test_a_host_that_is_taken_back_is_served_no_more(self) -> None:
        store = store_of(*one(), policy("hosts: [voice.example.org]"))
        scheduler = Scheduler(
            store,
            settings_of=lambda _: Settings(),
            gateway_of=lambda config: gateway_from_config(config, http_port=80, https_port=443),
        )
        served = {host for update in scheduler.start() for host in update.sites}
        assert served == {HOST, "voice.example.org"}
        update = scheduler.apply(store.apply([policy(body(1))]))
        assert update.sites["voice.example.org"] is None

    def test_the_catch_all_is_on_https_for_strangers_to_whom_the_fallback_certificate_is_lent(self) -> None:
        item = proxy(f"virtualhost: {{fqdn: {HOST}, tls: {{secretName: tls}}}}\n{ONE}")
        world = (item, A, secret(), policy("catchAll: true"))
        alone = self.compiled(ir.CATCH_ALL, *world).site
        assert alone is not None
        assert (alone.https, alone.tls, alone.fallback) == ((), None, "")
        settings = Settings(fallback_certificate="default/tls")
        found = compile_site(ir.CATCH_ALL, View(store_of(*world), settings)).site
        assert found is not None
        assert (len(found.https), found.tls, found.fallback) == (1, None, "default/tls")

    def test_one_catch_all_at_most(self) -> None:
        other = root("routes: [{services: [{name: b, port: 80}]}]", "other", host="other.example.com")
        older = policy("catchAll: true", "{kind: HTTPProxy, name: other}", "older", "2020")
        younger = policy("catchAll: true", name="a", age="2021")
        assert said(status(older, *one(), B, other, younger)) == []
        assert said(status(younger, *one(), B, other, older)) == [("Conflicted", "Conflicted", "spec.catchAll")]
