"""Apps: expanded into objects, repaired, and told about in one status."""

import sys
from unittest.mock import create_autospec

import pytest
from msgspec.structs import replace

from isoline.apps import load_catalog
from isoline.cluster.local import LocalSource
from isoline.cluster.store import Change, Store
from isoline.controllers.apps import Apps, phase, running_of, unenforced
from isoline.controllers.clock import SystemClock
from isoline.controllers.conditions import Finding
from isoline.objects import App, Condition, GatewayConfig, HTTPProxy, Key, ObjectMeta
from isoline.objects.decoding import decode_documents
from isoline.objects.httpproxy import HTTPProxyStatus
from isoline.objects.traffic_policy import TrafficPolicyStatus
from isoline.objects.workloads import Deployment, DeploymentCondition, DeploymentStatus
from isoline.routing.indexes import INDEXES
from unit.controllers.machine import RealMachine
from unit.controllers.workloads.test_deployments import deployment

APP = Key("App", "default", "sketch")


def sketch(spec: str = "", host: str = "sketch.localhost") -> str:
    return f"""
apiVersion: isoline.dev/v1alpha1
kind: App
metadata: {{name: sketch}}
spec:
  run: {{command: [{sys.executable}, program.py], port: 5000}}
  host: {host}
  {spec}
"""


def app(machine: RealMachine) -> App:
    found = machine.store.get(APP)
    assert isinstance(found, App)
    return found


def condition(machine: RealMachine, kind: str) -> tuple[str, str, str]:
    (found,) = (each for each in app(machine).status.conditions if each.type == kind)
    return found.status, found.reason, found.message


def judge(machine: RealMachine, verdict: str) -> None:
    """What the gateway says of the site."""
    for proxy in list(machine.store.of_kind("HTTPProxy")):
        machine.source.set_status(proxy.key, HTTPProxyStatus(current_status=verdict, description="so it is"))


async def test_an_app_is_ready_when_its_replica_runs_and_the_gateway_has_it(machine: RealMachine) -> None:
    await machine.start(sketch())
    await machine.until(lambda: app(machine).status.ready_replicas == 1)
    assert app(machine).status.phase == "Starting"

    judge(machine, "valid")
    await machine.until(lambda: app(machine).status.phase == "Ready")

    status = app(machine).status
    assert status.address == "https://sketch.localhost:8443"
    assert (status.replicas, status.observed_generation) == (1, app(machine).metadata.generation)
    kinds = {key.kind for key in (item.key for kind in machine.store.kinds() for item in machine.store.of_kind(kind))}
    assert {"Deployment", "Service", "NetworkPolicy", "HTTPProxy", "EndpointSlice", "Secret"} <= kinds


async def test_the_gateways_complaint_is_the_apps(machine: RealMachine) -> None:
    await machine.start(sketch())
    await machine.until(lambda: app(machine).status.ready_replicas == 1)
    judge(machine, "invalid")
    await machine.until(lambda: app(machine).status.phase == "Degraded")

    assert condition(machine, "Published") == ("False", "InvalidProxy", "HTTPProxy default/sketch: so it is")


async def test_the_complaint_about_its_policy_is_the_apps(machine: RealMachine) -> None:
    await machine.start(sketch(spec="limits: {body: 1Mi}"))
    await machine.until(lambda: app(machine).status.ready_replicas == 1)
    judge(machine, "valid")
    (policy,) = machine.store.of_kind("TrafficPolicy")
    refused = Condition(type="Accepted", status="False", reason="Conflicted", message="taken")
    machine.source.set_status(policy.key, TrafficPolicyStatus(conditions=(refused,)))
    await machine.until(lambda: app(machine).status.phase == "Degraded")

    assert condition(machine, "Published") == ("False", "InvalidPolicy", "TrafficPolicy default/sketch: taken")


async def test_every_fault_is_a_condition_and_what_runs_goes_on(machine: RealMachine) -> None:
    await machine.start(sketch())
    await machine.until(lambda: app(machine).status.ready_replicas == 1)
    pids = machine.pids("sketch")
    judge(machine, "valid")

    await machine.apply(sketch(spec="access: {jwt: {issuer: x}, allow: [10.0.0.0/8], deny: [10.1.0.0/16]}"))
    await machine.until(lambda: condition(machine, "Accepted")[0] == "False")

    _, reason, message = condition(machine, "Accepted")
    assert reason == "InvalidSpec"
    assert "spec.access.jwt.jwksURL: is needed, or jwks: " in message
    assert "spec.access: " in message
    assert machine.pids("sketch") == pids
    assert app(machine).status.phase == "Degraded"


async def test_an_app_that_cannot_be_expanded_has_failed(machine: RealMachine) -> None:
    text = "apiVersion: isoline.dev/v1alpha1\nkind: App\nmetadata: {name: sketch}\nspec: {profile: voise, host: a.b}\n"
    await machine.start(text)
    await machine.until(lambda: app(machine).status.phase == "Failed")

    assert 'did you mean "voice"?' in condition(machine, "Accepted")[2]
    assert machine.store.count("Deployment") == 0


async def test_what_the_app_no_longer_asks_for_goes(machine: RealMachine) -> None:
    await machine.start(sketch(host="[a.localhost, b.localhost]", spec="storage: [{name: data, path: /data}]"))
    await machine.until(lambda: machine.store.count("HTTPProxy") == 2 and machine.store.count("Secret") == 1)
    assert machine.store.count("PersistentVolumeClaim") == 1

    await machine.apply(sketch(host="a.localhost"))

    await machine.until(lambda: machine.store.count("HTTPProxy") == 1)
    assert machine.store.count("PersistentVolumeClaim") == 0
    assert isinstance(machine.store.get(Key("HTTPProxy", "default", "sketch")), HTTPProxy)


async def test_nothing_is_left_of_a_deleted_app(machine: RealMachine) -> None:
    await machine.start(sketch())
    await machine.until(lambda: app(machine).status.ready_replicas == 1)

    await machine.delete(APP)

    await machine.until(lambda: not machine.replicas("sketch"))
    await machine.until(lambda: machine.store.kinds() == [])


async def test_an_app_that_is_being_deleted_is_left_alone() -> None:
    """What is to outlive it, as `kubectl delete --cascade=orphan` has it, must not be made its own again."""
    source = create_autospec(LocalSource, instance=True)
    source.store = Store(INDEXES)
    apps = Apps(source, load_catalog(), SystemClock(), https_port=lambda: 443)
    (decoded,) = decode_documents(sketch()).objects
    metadata = replace(decoded.metadata, namespace="default", generation=1)
    source.store.apply([replace(decoded, metadata=metadata)])
    source.reconcile_children.return_value = ()
    await apps.reconcile(APP)
    source.reconcile_children.assert_awaited_once()
    source.reset_mock()

    going = replace(metadata, generation=2, deletion_timestamp="2026-01-01T00:00:00Z")
    source.store.apply([replace(decoded, metadata=going)])
    await apps.reconcile(APP)

    source.reconcile_children.assert_not_awaited()
    source.set_status.assert_not_called()


async def test_the_programs_end_shows_in_the_apps_status(machine: RealMachine) -> None:
    await machine.start(sketch().replace("program.py", "missing.py"))
    await machine.until(lambda: app(machine).status.phase == "Failed")

    assert condition(machine, "Running")[1] == "CrashLoopBackOff"
    assert "missing.py" in condition(machine, "Running")[2]


async def test_what_this_version_does_not_act_on_is_said(machine: RealMachine) -> None:
    await machine.start(sketch(spec="upgrade: {source: {git: 'https://example.com/x'}}"))

    assert condition(machine, "FullyActedOn")[1] == "NotInThisVersion"


async def test_every_app_is_looked_at_again_when_the_gateways_ports_change(machine: RealMachine) -> None:
    """An address has a port."""
    await machine.start(sketch())
    apps = Apps(machine.source, load_catalog(), SystemClock(), https_port=lambda: 443)
    config = GatewayConfig(metadata=ObjectMeta(name="default"))
    change = Change(1, config.key, None, config, status_only=False)

    assert list(apps.touched_by(change)) == [APP]
    assert list(apps.touched_by(change._replace(status_only=True))) == []


def test_limits_that_nothing_enforces_are_said_of_the_app_too() -> None:
    told = DeploymentCondition(type="LimitsEnforced", status="False", reason="NoDelegatedCgroup", message="not so")
    other = DeploymentCondition(type="Available", status="False", reason="MinimumReplicasUnavailable", message="0 of 1")
    status = DeploymentStatus(conditions=(other, told))

    assert list(unenforced(replace(deployment(), status=status))) == [
        Finding("LimitsEnforced", False, "NoDelegatedCgroup", "not so")
    ]
    assert list(unenforced(deployment())) == []


def test_an_app_that_is_not_ready_says_what_its_replicas_lack() -> None:
    told = DeploymentCondition(
        type="ReplicasReady", status="False", reason="ContainersNotReady", message="c: answered 404"
    )

    assert running_of(replace(deployment(), status=DeploymentStatus(conditions=(told,)))) == Finding(
        "Running", False, "ReplicasStarting", "0 of 1 replicas are ready; c: answered 404"
    )


def counted(ready: int) -> Deployment:
    return replace(deployment(), status=DeploymentStatus(ready_replicas=ready))


@pytest.mark.parametrize(
    ("ready", "accepted", "running", "published", "word"),
    [
        (None, True, "", True, "Pending"),
        (None, False, "", True, "Failed"),
        (0, True, "ReplicasStarting", None, "Starting"),
        (0, True, "InsufficientGPU", None, "Pending"),
        (0, True, "FailedMount", None, "Pending"),
        (0, True, "CrashLoopBackOff", None, "Failed"),
        (0, True, "ImageNotRunnable", None, "Failed"),
        (1, True, "", None, "Starting"),
        (1, True, "", True, "Ready"),
        (1, True, "", False, "Degraded"),
        (1, True, "ReplicasStarting", True, "Degraded"),
        (1, False, "", True, "Degraded"),
    ],
)
def test_one_word_for_an_app(
    ready: int | None, accepted: bool, running: str, published: bool | None, word: str
) -> None:
    findings = (
        Finding("Accepted", accepted, "", ""),
        Finding("Running", not running, running, ""),
        Finding("Published", published, "", ""),
    )

    assert phase(None if ready is None else counted(ready), findings) == word
