"""Whatever objects say: no exception, nothing that Envoy refuses, and nobody else feels it. `make fuzz` tries more."""

from pathlib import Path

from fuzz.session import fuzz

_EXAMPLES = 300


def test_generated_objects_harm_nobody(tmp_path: Path) -> None:
    session = fuzz(_EXAMPLES, number=1, folder=tmp_path)
    assert [str(finding) for finding in session.findings] == []
    # Most are wrong somewhere, and few so wrong that they are no objects.
    assert session.objects > _EXAMPLES * 3 / 4
