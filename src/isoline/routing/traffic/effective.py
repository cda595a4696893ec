"""Which policy counts: of each setting the most specific one's, and of equally specific ones the oldest's.

A route of an object is more specific than the object, an object than those that include it, HTTPProxies and Ingresses
than their Services, and Services than the App that they belong to.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from isoline.objects import Key, Object, TrafficPolicy
from isoline.objects.traffic_policy import SETTINGS, TargetReference
from isoline.routing.view import View


class Target(NamedTuple):
    """An object, or one route of it by all names that it has."""

    key: Key
    sections: frozenset[str] = frozenset()


class Setting(NamedTuple):
    """What one policy says of one thing. `name` is the attribute of the spec."""

    name: str
    value: Any
    policy: TrafficPolicy


Settings = dict[str, Setting]


def is_set(policy: TrafficPolicy, name: str) -> bool:
    """Whether a policy says anything of a setting; an empty list and a plain no say nothing."""
    value = getattr(policy.spec, name)
    return value is not None and value is not False and value != ()


def names(reference: TargetReference, target: Target, namespace: str) -> bool:
    """Whether a reference of a policy in a namespace means this target."""
    if (reference.kind, namespace, reference.name) != target.key:
        return False
    return reference.section_name in target.sections if target.sections else not reference.section_name


def effective(targets: Iterable[Target], view: View) -> Settings:
    """Return the settings that count for what all these targets have to do with, the most specific target first."""
    found: Settings = {}
    for target in targets:
        for policy in view.policies(target.key):
            if any(names(each, target, policy.metadata.namespace) for each in policy.spec.target_refs):
                for name in SETTINGS:
                    if name not in found and is_set(policy, name):
                        found[name] = Setting(name, getattr(policy.spec, name), policy)
    return found


class Targets(NamedTuple):
    """What a route has to do with, the most specific first, but for its Services, which stand between the two."""

    above: tuple[Target, ...] = ()
    below: tuple[Target, ...] = ()

    def with_section(self, sections: Iterable[str]) -> "Targets":
        """Return the targets of one route of the first object."""
        return self._replace(above=(Target(self.above[0].key, frozenset(sections)), *self.above))

    def settings(self, service: Key | None, view: View) -> Settings:
        """Return what counts for a route whose first Service this is, or for the cluster of this Service."""
        if not view.has_policies:
            # An App is nothing that the compile looks at otherwise.
            view.reads.update(target.key for target in self.below)
            return {}
        between = () if service is None else (Target(service),)
        return effective((*self.above, *between, *self.below), view)


def targets_of_object(item: Object, including: Iterable[Key] = ()) -> Targets:
    """Return the targets of an object: itself, what includes it (the nearest first), and the App it was made for."""
    metadata = item.metadata
    owners = (each for each in metadata.owner_references if each.kind == "App")
    apps = tuple(Target(Key("App", metadata.namespace, owner.name)) for owner in owners)
    return Targets((Target(item.key), *(Target(key) for key in including)), apps)
