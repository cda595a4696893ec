"""What a change would do, said before it is made."""

from isoline.cluster.store import Store
from isoline.console.admission import admission_answer
from isoline.console.changes import changes_of
from isoline.objects import Object
from isoline.objects.decoding import decode_documents
from isoline.objects.encoding import to_dict
from isoline.routing.admission import Review, review
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config

WORLD = """
apiVersion: v1
kind: Service
metadata: {name: app, namespace: one}
spec: {ports: [{port: 80}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: site, namespace: one, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  virtualhost: {fqdn: site.example.com}
  includes: [{name: child, namespace: two}]
  routes: [{services: [{name: app, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: two}
spec: {ports: [{port: 80}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: child, namespace: two}
spec:
  routes: [{conditions: [{prefix: /child}], services: [{name: app, port: 80}]}]
"""


class World:
    def __init__(self) -> None:
        self.store = Store(INDEXES)
        self.store.apply(decode_documents(WORLD).objects)
        self.scheduler = Scheduler(
            self.store,
            settings_of=lambda config: settings_from_config(config, one_machine=False),
            gateway_of=lambda config: gateway_from_config(config, http_port=80, https_port=443),
        )
        for _ in self.scheduler.start():
            pass

    def put(self, text: str) -> Review:
        objects = {item.key: item for item in decode_documents(text).objects}
        return review(self.scheduler.foresee(changes_of(self.store, objects)).previews, objects)

    def remove(self, kind: str, namespace: str, name: str) -> Review:
        keys = [item.key for item in self.store.of_kind(kind, namespace) if item.metadata.name == name]
        return review(self.scheduler.foresee(changes_of(self.store, {}, keys)).previews, ())

    def answer(self, operation: str, item: Object) -> dict[str, object]:
        side = "oldObject" if operation == "DELETE" else "object"
        request = {"uid": "7", "operation": operation, side: to_dict(item)}
        answer = admission_answer({"request": request}, self.store, self.scheduler.foresee)
        assert answer["kind"] == "AdmissionReview"
        response = answer["response"]
        assert response["uid"] == "7"
        return dict(response)

    def find(self, kind: str, name: str, namespace: str) -> Object:
        return next(item for item in self.store.of_kind(kind, namespace) if item.metadata.name == name)


def proxy(name: str, namespace: str, fqdn: str, service: str = "app", path: str = "/") -> str:
    return f"""
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  virtualhost: {{fqdn: {fqdn}}}
  routes: [{{conditions: [{{prefix: {path}}}], services: [{{name: {service}, port: 80}}]}}]
"""


def reasons(objections: object) -> list[tuple[str, str]]:
    assert isinstance(objections, tuple)
    return [(each.key.name, each.finding.reason) for each in objections]


def test_what_the_compiler_takes_is_refused_by_nobody() -> None:
    assert World().put(proxy("new", "one", "new.example.com")) == Review((), (), (), ())


def test_nothing_is_changed_by_asking() -> None:
    world = World()
    before = world.put(proxy("new", "one", "site.example.com"))
    assert world.put(proxy("new", "one", "site.example.com")) == before
    assert world.store.count("HTTPProxy") == 2


def test_a_host_that_is_taken_is_refused_to_the_newcomer() -> None:
    found = World().put(proxy("thief", "two", "site.example.com"))
    assert reasons(found.refused) == [("thief", "DuplicateVhost")]
    assert found.harmed == ()


def test_a_change_keeps_the_age_of_its_object() -> None:
    found = World().put(proxy("site", "one", "site.example.com", path="/other"))
    assert found.refused == ()
    assert reasons(found.harmed) == [("child", "Orphaned")]


def test_what_a_deleted_object_leaves_behind_is_harmed() -> None:
    assert reasons(World().remove("HTTPProxy", "one", "site").harmed) == [("child", "Orphaned")]
    assert reasons(World().remove("HTTPProxy", "two", "child").harmed) == [("site", "IncludeNotFound")]
    assert reasons(World().remove("Service", "two", "app").harmed) == [("child", "ServiceUnresolvedReference")]


def test_what_may_come_later_is_awaited() -> None:
    world = World()
    assert reasons(world.put(proxy("new", "one", "new.example.com", service="later")).awaited) == [
        ("new", "ServiceUnresolvedReference")
    ]
    child = proxy("lonely", "one", "x").replace("  virtualhost: {fqdn: x}\n", "")
    assert reasons(world.put(child).awaited) == [("lonely", "Orphaned")]


def test_a_webhook_denies_what_would_be_refused_with_every_error() -> None:
    world = World()
    item = decode_documents(proxy("bad", "one", "bad.example.com", path="api")).objects[0]
    answer = world.answer("CREATE", item)
    assert answer["allowed"] is False
    status = answer["status"]
    assert isinstance(status, dict)
    assert "PathMatchConditionsNotValid" in status["message"]


def test_a_webhook_denies_what_cannot_be_decoded() -> None:
    world = World()
    request = {"uid": "7", "operation": "CREATE", "object": {"apiVersion": "projectcontour.io/v1", "kind": "HTTPProxy"}}
    request["object"]["spec"] = {"routes": 7}  # type: ignore[index]
    response = admission_answer({"request": request}, world.store, world.scheduler.foresee)["response"]
    assert response["allowed"] is False
    assert "spec.routes" in response["status"]["message"]


def test_a_webhook_warns_of_harm_and_stops_no_deletion() -> None:
    world = World()
    answer = world.answer("DELETE", world.find("HTTPProxy", "site", "one"))
    assert answer["allowed"] is True
    warnings = answer["warnings"]
    assert isinstance(warnings, list)
    assert len(warnings) == 1
    assert warnings[0].startswith("would harm HTTPProxy two/child: Orphaned Orphaned:")


def test_a_webhook_lets_pass_what_is_none_of_ours() -> None:
    world = World()
    request = {"uid": "7", "operation": "CREATE", "object": {"apiVersion": "v1", "kind": "Pod"}}
    response = admission_answer({"request": request}, world.store, world.scheduler.foresee)["response"]
    assert response == {"uid": "7", "allowed": True}
