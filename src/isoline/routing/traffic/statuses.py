"""What is said of a policy: by itself, without a look at the routes that it is about."""

from collections.abc import Iterator

from isoline.objects import Key, TrafficPolicy
from isoline.objects.model import json_name
from isoline.objects.traffic_policy import SETTINGS, TARGET_GROUPS, TargetReference
from isoline.routing.httpproxy.scope import Fault, Report, Scope
from isoline.routing.statuses import Finding, ProxyStatus
from isoline.routing.traffic.effective import Setting, is_set
from isoline.routing.traffic.fields import FIELDS
from isoline.routing.traffic.hosts import check_hosts
from isoline.routing.traffic.place import place_of
from isoline.routing.traffic.sections import sections_of
from isoline.routing.view import View

ADDITIVE = frozenset({"hosts", "catch_all"})
"""Settings of which each policy's counts."""


def status_of_policy(policy: TrafficPolicy, view: View) -> ProxyStatus:
    """Return what is wrong with a policy, its settings and its targets, in the types of its conditions.

    Errors are of the types Accepted, ResolvedRefs and Conflicted; that a more specific policy counts in some places is
    as it should be, and a warning of the type Overridden.
    """
    report = Report()
    scope = Scope(report, "spec")
    names = [name for name in SETTINGS if is_set(policy, name)]
    if not policy.spec.target_refs:
        scope.at("targetRefs").error("Accepted", "Invalid", "names nothing that the policy is about")
    if not names:
        scope.error("Accepted", "Invalid", "says nothing: give at least one setting")
    lost: set[tuple[int, str]] = set()
    for position, reference in enumerate(policy.spec.target_refs):
        place = scope.at(f"targetRefs[{position}]")
        if _is_target(reference, policy, view, place):
            lost |= {(position, name) for name in _conflicts(policy, reference, names, view, place)}
            _overrides(policy, reference, names, view, report)
    check_hosts(policy, scope, view)
    if lost and len(lost) == len(names) * len(policy.spec.target_refs):
        text = "older policies say all of it already for the same targets"
        scope.error("Accepted", "Conflicted", text)
    for field in FIELDS:
        if field.name in names:
            try:
                setting = Setting(field.name, getattr(policy.spec, field.name), policy)
                field.compile(setting.value, place_of(setting, view, {}, report))
            except Fault as fault:
                report.errors[fault.finding] = None
    return report.status()


def _is_target(reference: TargetReference, policy: TrafficPolicy, view: View, place: Scope) -> bool:
    group = TARGET_GROUPS[reference.kind]
    if reference.group and reference.group != group:
        text = f'the group of {reference.kind} is "{group}", found "{reference.group}"'
        place.at("group").error("Accepted", "Invalid", text)
        return False
    if reference.section_name and reference.kind in ("Service", "App"):
        text = f"a {reference.kind} has no routes to be named"
        place.at("sectionName").error("Accepted", "Invalid", text)
        return False
    key = Key(reference.kind, policy.metadata.namespace, reference.name)
    target = view.get(key)
    if target is None:
        place.error("Accepted", "TargetNotFound", f"{key} not found")
        return False
    known = dict.fromkeys(sections_of(target))
    if reference.section_name and reference.section_name not in known:
        routes = ", ".join(known) or "none"
        text = f'{key} has no route "{reference.section_name}"; its routes are: {routes}'
        place.at("sectionName").error("Accepted", "TargetNotFound", text)
        return False
    return True


def _conflicts(
    policy: TrafficPolicy, reference: TargetReference, names: list[str], view: View, place: Scope
) -> Iterator[str]:
    """The settings that an older policy says for the same target."""
    for name in names:
        if name in ADDITIVE:
            continue
        for other, theirs in _others(policy, reference, view):
            if other.key == policy.key:
                break
            if theirs.section_name == reference.section_name and is_set(other, name):
                text = f"{json_name(name)} is said by the older {other.key}, which counts"
                place.error("Conflicted", "Conflicted", text)
                yield name
                break


def _overrides(policy: TrafficPolicy, reference: TargetReference, names: list[str], view: View, report: Report) -> None:
    """Policies of single routes of the target, which count for those."""
    if reference.section_name:
        return
    for other, theirs in _others(policy, reference, view):
        said = [json_name(name) for name in names if is_set(other, name)]
        if theirs.section_name and said:
            text = f'{other.key} says {", ".join(said)} of the route "{theirs.section_name}"'
            report.warnings[Finding("Overridden", "Overridden", text)] = None


def _others(
    policy: TrafficPolicy, reference: TargetReference, view: View
) -> Iterator[tuple[TrafficPolicy, TargetReference]]:
    """Every policy about the same object, the oldest first, this one too, with what it names."""
    for other in view.policies(Key(reference.kind, policy.metadata.namespace, reference.name)):
        for theirs in other.spec.target_refs:
            if (theirs.kind, theirs.name) == (reference.kind, reference.name):
                yield other, theirs
