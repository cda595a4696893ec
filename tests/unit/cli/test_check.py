"""`isoline check`: every problem at once, without anything that runs."""

from pathlib import Path

import pytest

from unit.cli.conftest import Isoline, Run

SEEDS = Path(__file__).parents[2] / "seed"

GOOD = """apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata:
  name: site
spec:
  virtualhost:
    fqdn: site.example.com
  routes:
    - services: [{name: elsewhere, port: 80}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


def test_good_manifests_are_counted(file: Path, run: Run) -> None:
    file.write_text(GOOD)
    assert run("check", str(file)) == (0, "1 object in 1 file, nothing wrong\n", "")


def test_the_seeds_are_good(run: Run) -> None:
    answer = run("check", str(SEEDS))
    assert (answer.code, answer.err) == (0, "")


def test_every_problem_of_every_file_is_told(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("fqdn:", "fqnd:"))
    (tmp_path / "b.yaml").write_text(GOOD.replace("port: 80", "port: eighty") + "---\nkind: Nothing\napiVersion: v1\n")
    answer = run("check", str(tmp_path))
    assert answer.code == 1
    assert 'spec.virtualhost.fqnd: unknown field; did you mean "fqdn"?' in answer.err
    assert "b.yaml:9: HTTPProxy default/site: spec.routes[0].services[0].port" in answer.err
    assert 'unknown kind "Nothing"' in answer.err


def test_what_the_compiler_would_refuse_is_told(file: Path, run: Run) -> None:
    file.write_text(GOOD.replace("    - services", "    - conditions: [{prefix: api}]\n      services"))
    answer = run("check", str(file))
    assert answer.code == 1
    assert f"{file}:1: HTTPProxy default/site: RouteError PathMatchConditionsNotValid" in answer.err


POLICY = """
apiVersion: isoline.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: policy}
spec:
  targetRefs: [{kind: HTTPProxy, name: elsewhere}]
  requestHeaders: {SETTING}
"""


def test_a_setting_of_a_policy_is_told_and_a_target_may_come_later(file: Path, run: Run) -> None:
    file.write_text(POLICY.replace("SETTING", "maxCount: 10"))
    assert run("check", str(file)).code == 0
    file.write_text(POLICY.replace("SETTING", ""))
    answer = run("check", str(file))
    assert answer.code == 1
    assert (
        "TrafficPolicy default/policy: Accepted Invalid: spec.requestHeaders: needs maxSize or maxCount" in answer.err
    )


def test_two_definitions_of_one_object_are_told(tmp_path: Path, run: Run) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD)
    answer = run("check", str(tmp_path))
    assert answer.code == 1
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    assert f"{second}:1: HTTPProxy default/site is defined in {first}:1 already" in answer.err


def test_an_app_of_no_profile_is_told(file: Path, run: Run) -> None:
    file.write_text("apiVersion: isoline.dev/v1alpha1\nkind: App\nmetadata: {name: a}\nspec: {profile: voise}\n")
    answer = run("check", str(file))
    assert answer.code == 1
    assert "spec.profile" in answer.err


def test_standard_input_is_checked_too(run: Run) -> None:
    assert run("check", "-", stdin=GOOD).code == 0
    assert "<stdin>:" in run("check", "-", stdin="kind: [").err


def test_a_wrong_path_is_wrong_use(tmp_path: Path, run: Run) -> None:
    assert run("check", str(tmp_path / "none")).code == 2


def test_what_runs_counts_too(file: Path, isoline: Isoline, run: Run) -> None:
    file.write_text(GOOD)
    assert run("apply", "-f", str(file)).code == 0
    file.write_text(GOOD.replace("name: site", "name: other"))
    answer = run("check", str(file))
    assert answer.code == 1
    assert f"{file}:1: HTTPProxy default/other: VirtualHostError DuplicateVhost" in answer.err
    file.write_text(GOOD)
    assert run("check", str(file)).code == 0
