"""What of a status is compared: all but times."""

from typing import Any, Final

from .corpus import Object, name_of

Status = dict[str, Any]

UNTOUCHED: Final = "NotReconciled"
"""The schema's default, which stands where no controller has written anything."""


def plain(item: Object) -> Status:
    """Return the status of an object without its times, empty parts left out."""
    status = item.get("status") or {}
    if status.get("currentStatus") == UNTOUCHED:
        return {}
    generation = item["metadata"].get("generation", 1)
    conditions = [_condition(each, generation) for each in status.get("conditions") or ()]
    return _without_empty(
        {
            "currentStatus": status.get("currentStatus"),
            "description": status.get("description"),
            "loadBalancer": [each.get("ip") for each in (status.get("loadBalancer") or {}).get("ingress") or ()],
            "conditions": conditions,
        }
    )


def by_name(items: list[Object]) -> dict[str, Status]:
    """Return the statuses of objects by `Kind namespace/name`."""
    return {name_of(each): plain(each) for each in items}


def _condition(condition: Object, generation: int) -> Object:
    parts = {
        name: [
            {key: each.get(key) for key in ("type", "reason", "status", "message")}
            for each in condition.get(name) or ()
        ]
        for name in ("errors", "warnings")
    }
    same = {key: condition.get(key) for key in ("type", "status", "reason", "message")}
    return _without_empty({**same, "current": condition.get("observedGeneration") == generation, **parts})


def _without_empty(found: Object) -> Object:
    return {key: value for key, value in found.items() if value not in (None, [], "", {})}
