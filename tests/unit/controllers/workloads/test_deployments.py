"""The arithmetic of rollouts: tables for single steps, and properties for whole rollouts."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoline.controllers.workloads.deployments import Plan, Standing, bounds, plan, problems, selects, template_hash
from isoline.objects import Deployment, LabelSelector
from isoline.objects.meta import LabelSelectorRequirement
from isoline.objects.workloads import DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment
from unit.controllers.support import manifest


def rolling(surge: int | str, unavailable: int | str) -> DeploymentStrategy:
    return DeploymentStrategy(rolling_update=RollingUpdateDeployment(max_surge=surge, max_unavailable=unavailable))


RECREATE = DeploymentStrategy(type="Recreate")


def deployment(fields: str = "", container: str = "{name: c, image: x}") -> Deployment:
    return manifest(
        f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d}}
spec:
  {fields}
  selector: {{matchLabels: {{app: d}}}}
  template:
    metadata: {{labels: {{app: d}}}}
    spec: {{containers: [{container}]}}
""",
        Deployment,
    )


def spec(desired: int, strategy: DeploymentStrategy, *, paused: bool = False) -> DeploymentSpec:
    base = deployment().spec
    return DeploymentSpec(
        replicas=desired, selector=base.selector, template=base.template, strategy=strategy, paused=paused
    )


def standing(states: str) -> list[Standing]:
    """Replicas by a letter each: o and n are old and new, capital when available, a dot after one that is ending."""
    found: list[Standing] = []
    for letter in states:
        if letter == ".":
            found[-1] = found[-1]._replace(terminating=True)
        else:
            name = f"{letter}{len(found)}"
            found.append(Standing(name, letter in "nN", letter.isupper(), False, float(len(found))))
    return found


@pytest.mark.parametrize(
    ("surge", "unavailable", "desired", "most", "fewest"),
    [
        ("25%", "25%", 10, 13, 8),
        ("25%", "25%", 1, 2, 1),
        ("25%", "25%", 4, 5, 3),
        (0, 0, 3, 3, 2),
        ("0%", "10%", 3, 3, 2),
        (2, 0, 3, 5, 3),
        (0, "100%", 3, 3, 0),
        (0, 10, 3, 3, 0),
        ("25%", "25%", 0, 0, 0),
    ],
)
def test_percentages_round_as_in_kubernetes(
    surge: int | str, unavailable: int | str, desired: int, most: int, fewest: int
) -> None:
    found = bounds(desired, rolling(surge, unavailable))

    assert (found.most, found.fewest_available) == (most, fewest)


@pytest.mark.parametrize(
    ("states", "desired", "strategy", "step"),
    [
        ("", 3, rolling(1, 0), Plan(3, ())),
        ("NNN", 3, rolling(1, 0), Plan(0, ())),
        ("NNN", 5, rolling(1, 0), Plan(2, ())),
        ("NnN", 2, rolling(1, 0), Plan(0, ("n1",))),
        ("NNN", 2, rolling(1, 0), Plan(0, ("N2",))),
        ("NN", 0, rolling(1, 0), Plan(0, ("N1", "N0"))),
        ("OOO", 3, rolling(1, 0), Plan(1, ())),
        ("OOOn", 3, rolling(1, 0), Plan(0, ())),
        ("OOON", 3, rolling(1, 0), Plan(0, ("O2",))),
        ("OOO.N", 3, rolling(1, 0), Plan(1, ())),
        ("OOO", 3, rolling(0, 1), Plan(0, ("O2",))),
        ("OO", 3, rolling(0, 1), Plan(1, ())),
        ("o", 1, rolling(1, 0), Plan(1, ())),
        ("on", 1, rolling(1, 0), Plan(0, ())),
        ("oN", 1, rolling(1, 0), Plan(0, ("o0",))),
        ("O", 1, RECREATE, Plan(0, ("O0",))),
        ("O.", 1, RECREATE, Plan(0, ())),
        ("", 1, RECREATE, Plan(1, ())),
        ("n", 2, RECREATE, Plan(1, ())),
        ("NN", 1, RECREATE, Plan(0, ("N1",))),
    ],
)
def test_the_next_step(states: str, desired: int, strategy: DeploymentStrategy, step: Plan) -> None:
    assert plan(spec(desired, strategy), standing(states)) == step


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    assert plan(spec(2, rolling(1, 0), paused=True), standing("OO")) == Plan(0, ())
    assert plan(spec(3, rolling(1, 0), paused=True), standing("OO")) == Plan(1, ())
    assert plan(spec(1, rolling(1, 0), paused=True), standing("ON")) == Plan(0, ("O0",))


@dataclass(frozen=True)
class World:
    """A cluster in miniature: replicas that start and end whenever the test says so."""

    replicas: tuple[Standing, ...]
    made: int = 0

    def step(self, wanted: DeploymentSpec) -> "World":
        result = plan(wanted, self.replicas)
        kept = tuple(
            replica._replace(terminating=True, available=False) if replica.name in result.delete else replica
            for replica in self.replicas
        )
        new = tuple(
            Standing(f"n{self.made + number}", True, False, False, 1000.0 + self.made + number)
            for number in range(result.create)
        )
        return World(kept + new, self.made + result.create)

    def moved(self, choice: int) -> "World":
        """One replica gets on: a starting one becomes available, an ending one is gone."""
        moving = [replica for replica in self.replicas if replica.terminating or not replica.available]
        if not moving:
            return self
        chosen = moving[choice % len(moving)]
        if chosen.terminating:
            return replace(self, replicas=tuple(each for each in self.replicas if each != chosen))
        ready = chosen._replace(available=True)
        return replace(self, replicas=tuple(ready if each == chosen else each for each in self.replicas))

    @property
    def live(self) -> list[Standing]:
        return [replica for replica in self.replicas if not replica.terminating]

    @property
    def available(self) -> int:
        return sum(replica.available for replica in self.live)


SHARES = st.one_of(st.integers(0, 5), st.integers(0, 100).map(lambda percent: f"{percent}%"))


@given(
    desired=st.integers(1, 12),
    surge=SHARES,
    unavailable=SHARES,
    choices=st.lists(st.integers(0, 100), min_size=300, max_size=300),
)
def test_a_rollout_stays_within_its_bounds_and_ends(
    desired: int, surge: int | str, unavailable: int | str, choices: list[int]
) -> None:
    wanted = spec(desired, rolling(surge, unavailable))
    limits = bounds(desired, wanted.strategy)
    world = World(tuple(Standing(f"o{at}", False, True, False, float(at)) for at in range(desired)))

    for choice in choices:
        world = world.step(wanted)
        assert len(world.live) <= limits.most
        assert world.available >= limits.fewest_available
        world = world.moved(choice)

    assert sorted(replica.name[0] for replica in world.live) == ["n"] * desired
    assert world.available == desired
    assert plan(wanted, world.replicas) == Plan(0, ())


@given(
    states=st.text(alphabet="oOnN", max_size=12),
    desired=st.integers(0, 8),
    surge=SHARES,
    unavailable=SHARES,
)
def test_no_step_from_any_state_breaks_the_bounds_further(
    states: str, desired: int, surge: int | str, unavailable: int | str
) -> None:
    wanted = spec(desired, rolling(surge, unavailable))
    limits = bounds(desired, wanted.strategy)
    before = World(tuple(standing(states)))

    after = before.step(wanted)

    assert len(after.live) <= max(limits.most, len(before.live))
    assert after.available >= min(limits.fewest_available, before.available)


@given(states=st.text(alphabet="oOnN", max_size=8), desired=st.integers(0, 5))
def test_recreate_never_runs_old_and_new_side_by_side_of_its_own_doing(states: str, desired: int) -> None:
    step = plan(spec(desired, RECREATE), standing(states))

    if any(letter in "oO" for letter in states):
        assert step.create == 0
        assert {replica.name for replica in standing(states) if not replica.current} <= set(step.delete)


def test_equal_templates_have_equal_hashes_and_any_change_another() -> None:
    one, same = deployment("replicas: 1"), deployment("replicas: 5")
    other = deployment(container="{name: c, image: z}")

    assert template_hash(one.spec.template) == template_hash(same.spec.template)
    assert template_hash(one.spec.template) != template_hash(other.spec.template)
    assert len(template_hash(one.spec.template)) == 10


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ("replicas: -1", "spec.replicas"),
        ("strategy: {type: BlueGreen}", "spec.strategy.type"),
        ("strategy: {rollingUpdate: {maxSurge: many}}", "spec.strategy.rollingUpdate.maxSurge"),
        ("strategy: {rollingUpdate: {maxUnavailable: -1}}", "spec.strategy.rollingUpdate.maxUnavailable"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_field(fields: str, path: str) -> None:
    (told,) = problems(deployment(fields).spec)

    assert told.startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ("d", "e"), True),
        ("In", ("e",), False),
        ("NotIn", ("e",), True),
        ("Exists", (), True),
        ("DoesNotExist", (), False),
        ("Sounds", (), False),
    ],
)
def test_selectors_know_expressions(operator: str, values: tuple[str, ...], matches: bool) -> None:
    requirement = LabelSelectorRequirement(key="app", operator=operator, values=values)

    assert selects(LabelSelector(match_expressions=(requirement,)), {"app": "d"}) == matches
