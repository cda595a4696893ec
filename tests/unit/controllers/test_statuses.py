"""Statuses of HTTPProxies are written in the background, once each, with the time of the last turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from isoline.cluster.local import LocalSource
from isoline.cluster.state import StateFolder
from isoline.cluster.store import Store
from isoline.controllers.clock import timestamp
from isoline.controllers.statuses import AT_ONCE, StatusWriter
from isoline.objects import ExtensionService, HTTPProxy, Key
from isoline.objects.extension import ExtensionServiceStatus
from isoline.objects.httpproxy import HTTPProxyStatus
from isoline.objects.traffic_policy import TrafficPolicy
from isoline.routing.statuses import ORPHANED, VALID, Finding, ProxyStatus
from unit.controllers.support import FakeClock, manifests, settle

INVALID = ProxyStatus(errors=(Finding("TLSError", "SecretNotValid", "no Secret"),))


def key(number: int = 0) -> Key:
    return Key("HTTPProxy", "default", f"p{number}")


class Rig:
    def __init__(self, folder: Path) -> None:
        state = StateFolder(folder)
        state.acquire()
        self.clock = FakeClock()
        self.source = LocalSource(Store(), state, None)
        self.writer = StatusWriter(self.source, self.clock)

    def status(self, number: int = 0) -> HTTPProxyStatus:
        found = self.source.store.get(key(number))
        assert isinstance(found, HTTPProxy)
        return found.status


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path / "state")
    await made.source.start()
    text = "".join(
        f"---\napiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {{name: p{number}}}\nspec: {{}}\n"
        for number in range(AT_ONCE + 50)
    )
    await made.source.apply(manifests(text))
    made.writer.start()
    yield made
    await made.writer.stop()
    await made.source.stop()


async def test_a_status_says_what_compiling_found(rig: Rig) -> None:
    rig.writer.put({key(): INVALID, key(1): VALID, key(2): ORPHANED})
    await settle()

    assert rig.status().current_status == "invalid"
    (condition,) = rig.status().conditions
    assert [(error.type, error.reason) for error in condition.errors] == [("TLSError", "SecretNotValid")]
    assert (condition.observed_generation, condition.last_transition_time) == (1, timestamp(rig.clock.now()))
    assert rig.status(1).description == "Valid HTTPProxy"
    assert rig.status(2).current_status == "orphaned"


async def test_an_unchanged_status_is_not_written_again_and_keeps_its_time(rig: Rig) -> None:
    rig.writer.put({key(): VALID})
    await settle()
    position, before = rig.source.store.position, rig.status()

    await rig.clock.advance(100)
    rig.writer.put({key(): VALID})
    await settle()

    assert rig.source.store.position == position
    assert rig.status() == before


async def test_the_newest_of_several_is_written(rig: Rig) -> None:
    position = rig.source.store.position
    rig.writer.put({key(): INVALID})
    rig.writer.put({key(): VALID})
    await settle()

    assert rig.status().current_status == "valid"
    assert rig.source.store.position == position + 1


async def test_what_is_no_longer_ours_to_judge_is_cleared(rig: Rig) -> None:
    rig.writer.put({key(): INVALID})
    await settle()
    rig.writer.put({key(): None})
    await settle()

    assert rig.status() == HTTPProxyStatus()


async def test_many_are_written_in_parts_and_missing_ones_are_passed_over(rig: Rig) -> None:
    rig.writer.put({key(number): VALID for number in range(AT_ONCE + 60)})
    await settle()

    assert all(rig.status(number).current_status == "valid" for number in range(AT_ONCE + 50))


async def test_what_is_wrong_with_an_ingress_is_told_as_events(rig: Rig) -> None:
    about = Key("Ingress", "default", "web")
    await rig.source.apply(
        manifests("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {}\n")
    )
    rig.writer.put({about: INVALID})
    await settle()

    assert ("SecretNotValid", "no Secret") in [
        (event.reason, event.message) for event in rig.source.events.about(about)
    ]


async def test_an_extension_service_has_its_own_condition(rig: Rig) -> None:
    about = Key("ExtensionService", "default", "auth")
    await rig.source.apply(
        manifests(
            "apiVersion: projectcontour.io/v1alpha1\nkind: ExtensionService\nmetadata: {name: auth}\n"
            "spec: {services: [{name: app, port: 80}]}\n"
        )
    )

    def condition() -> tuple[str, str, str, int]:
        found = rig.source.store.get(about)
        assert isinstance(found, ExtensionService)
        (valid,) = found.status.conditions
        return valid.status, valid.reason, valid.message, valid.observed_generation

    rig.writer.put({about: VALID})
    await settle()
    assert condition() == ("True", "Valid", "Valid ExtensionService", 1)
    rig.writer.put({about: INVALID})
    await settle()
    assert condition() == ("False", "ErrorPresent", "At least one error present, see Errors for details", 1)
    rig.writer.put({about: None})
    await settle()
    assert getattr(rig.source.store.get(about), "status", None) == ExtensionServiceStatus()


async def test_a_policy_says_in_conditions_whether_it_counts(rig: Rig) -> None:
    text = """
        apiVersion: isoline.dev/v1alpha1
        kind: TrafficPolicy
        metadata: {name: policy}
        spec: {targetRefs: [{kind: HTTPProxy, name: p0}], requestBody: {maxSize: 1}}
        """
    await rig.source.apply(manifests(text))
    name = Key("TrafficPolicy", "default", "policy")

    async def conditions(found: ProxyStatus | None) -> list[tuple[str, str, str, str]]:
        rig.writer.put({name: found})
        await settle()
        item = rig.source.store.get(name)
        assert isinstance(item, TrafficPolicy)
        assert found is None or item.status.observed_generation == item.metadata.generation
        return [(each.type, each.status, each.reason, each.message) for each in item.status.conditions]

    fine = [("Accepted", "True", "Accepted", ""), ("ResolvedRefs", "True", "ResolvedRefs", "")]
    assert await conditions(VALID) == fine
    errors = (
        Finding("Accepted", "Invalid", "spec.a: no"),
        Finding("Accepted", "TargetNotFound", "spec.b: gone"),
        Finding("Conflicted", "Conflicted", "spec.c: taken"),
    )
    assert await conditions(ProxyStatus(errors, (Finding("Overridden", "Overridden", "by another"),))) == [
        ("Accepted", "False", "Invalid", "spec.a: no; spec.b: gone"),
        fine[1],
        ("Conflicted", "True", "Conflicted", "spec.c: taken"),
        ("Overridden", "True", "Overridden", "by another"),
    ]
    assert await conditions(None) == []
