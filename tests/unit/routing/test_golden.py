"""Manifests in, IR and statuses out, whole: tests/golden/routing/<feature>/{in,out}.yaml.

`UPDATE_GOLDENS=1` writes what comes out; read the difference before you commit it.
"""

import os
import re
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from isoline.routing import ir
from isoline.routing.gateway import gateway_from_config
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from isoline.routing.statuses import ProxyStatus
from isoline.routing.update import Update
from unit.routing.support import objects, store_of

GOLDEN = Path(__file__).parents[2] / "golden" / "routing"
FEATURES = sorted(path.name for path in GOLDEN.iterdir())


def plain(value: Any) -> Any:
    """Return an IR value as data, without what is as it is by default, actions with their names."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return value
    fields = {
        field.name: plain(getattr(value, field.name))
        for field in msgspec.structs.fields(value)
        if getattr(value, field.name) != field.default
    }
    if isinstance(value, ir.Forward | ir.Redirect | ir.Respond | ir.HttpsRedirect):
        return {type(value).__name__: fields}
    return fields


def plain_status(status: ProxyStatus) -> dict[str, Any]:
    fields: dict[str, Any] = {"currentStatus": status.current_status}
    for name, findings in (("errors", status.errors), ("warnings", status.warnings)):
        if findings:
            fields[name] = [[each.type, each.reason, each.message] for each in findings]
    return fields


def compiled(text: str) -> dict[str, Any]:
    scheduler = Scheduler(
        store_of(*objects(text)),
        settings_of=partial(settings_from_config, one_machine=False),
        gateway_of=partial(gateway_from_config, http_port=80, https_port=443),
    )
    everything = Update()
    for update in scheduler.start():
        everything.add(update)
    result = {
        "sites": [plain(everything.sites[host]) for host in sorted(everything.sites)],
        "endpoints": [plain(everything.endpoints[name]) for name in sorted(everything.endpoints)],
        "certificates": sorted(everything.certificates),
        "statuses": {
            f"{key.namespace}/{key.name}": plain_status(status)
            for key, status in sorted(everything.statuses.items())
            if status is not None
        },
    }
    return _numbered(result)


def _numbered(result: dict[str, Any]) -> dict[str, Any]:
    """Count the hashes in names: they change with every field that clusters gain, and say nothing to a reader."""
    seen: dict[str, str] = {}
    text = re.sub(
        "/[0-9a-f]{16}",
        lambda found: seen.setdefault(found[0], f"/hash{len(seen) + 1}"),
        yaml.safe_dump(result, sort_keys=False),
    )
    numbered: dict[str, Any] = yaml.safe_load(text)
    return numbered


@pytest.mark.parametrize("feature", FEATURES)
def test_golden(feature: str) -> None:
    out = GOLDEN / feature / "out.yaml"
    result = compiled((GOLDEN / feature / "in.yaml").read_text())
    if os.environ.get("UPDATE_GOLDENS"):
        out.write_text(yaml.safe_dump(result, sort_keys=False, width=120, allow_unicode=True))
    assert result == yaml.safe_load(out.read_text())
