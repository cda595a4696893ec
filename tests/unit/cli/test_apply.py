"""`isoline apply`, `delete` and `diff`: what they change, what they say, what they refuse."""

from pathlib import Path

import pytest

from unit.cli.conftest import Isoline, Run

APP = """apiVersion: isoline.dev/v1alpha1
kind: App
metadata:
  name: voice
spec:
  profile: voice
  host: voice.localhost
"""
SERVICE = """apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports: [{name: http, port: 80}]
"""
PROXY = """apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata:
  name: site
spec:
  virtualhost:
    fqdn: site.example.com
  routes:
    - conditions: [{prefix: /}]
      services: [{name: web, port: 80}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "service.yaml").write_text(SERVICE)
    (folder / "site.yaml").write_text(PROXY)
    (folder / "notes.md").write_text("# not a manifest")
    return folder


def test_a_folder_is_applied_and_applied_again(isoline: Isoline, run: Run, folder: Path) -> None:
    answer = run("apply", "-f", str(folder))
    assert answer.out == "Service default/web created\nHTTPProxy default/site created\n"
    assert run("apply", "-f", str(folder)).out == "Service default/web unchanged\nHTTPProxy default/site unchanged\n"
    (folder / "site.yaml").write_text(PROXY.replace("prefix: /", "prefix: /api"))
    assert "HTTPProxy default/site configured" in run("apply", "-f", str(folder)).out


def test_a_dry_run_changes_nothing(isoline: Isoline, run: Run, folder: Path) -> None:
    assert "HTTPProxy default/site created (dry run)" in run("apply", "-f", str(folder), "--dry-run").out
    assert isoline.source.store.get(isoline.key("HTTPProxy", "site")) is None


def test_every_error_is_told_and_nothing_is_changed(isoline: Isoline, run: Run, folder: Path) -> None:
    (folder / "broken.yaml").write_text(PROXY.replace("fqdn: site.example.com", "fqdn: 5") + "---\nkind: [")
    answer = run("apply", "-f", str(folder))
    assert answer.code == 1
    assert f"{folder / 'broken.yaml'}:7: HTTPProxy default/site: spec.virtualhost.fqdn" in answer.err
    assert "2 errors: nothing was changed" in answer.err
    assert isoline.source.store.get(isoline.key("Service", "web")) is None


def test_an_unknown_field_is_a_warning(isoline: Isoline, run: Run, folder: Path) -> None:
    (folder / "site.yaml").write_text(PROXY.replace("  routes:", "  rutes: []\n  routes:"))
    answer = run("apply", "-f", str(folder))
    assert answer.code == 0
    assert "warning:" in answer.err
    assert 'did you mean "routes"?' in answer.err


def test_a_path_that_leads_nowhere_is_wrong_use(isoline: Isoline, run: Run, tmp_path: Path) -> None:
    assert run("apply", "-f", str(tmp_path / "none.yaml")).code == 2
    (tmp_path / "empty").mkdir()
    assert run("apply", "-f", str(tmp_path / "empty")).code == 2


def test_objects_are_deleted_by_name_and_by_file(isoline: Isoline, run: Run, folder: Path) -> None:
    run("apply", "-f", str(folder))
    assert run("delete", "svc", "web").out == "Service default/web deleted\n"
    answer = run("delete", "-f", str(folder))
    assert answer.code == 1
    assert answer.out == "HTTPProxy default/site deleted\n"
    assert answer.err == "Service default/web not found\n1 of 2 objects not changed\n"
    run("apply", "-f", str(folder))
    assert run("delete", "httpproxy/site").code == 0


@pytest.mark.parametrize("words", [(), ("app",), ("app", "voice", "-f", "x.yaml")])
def test_what_to_delete_must_be_said_once(isoline: Isoline, run: Run, words: tuple[str, ...]) -> None:
    assert run("delete", *words).code == 2


def test_a_new_site_is_shown_with_its_routes(isoline: Isoline, run: Run, folder: Path) -> None:
    answer = run("diff", "-f", str(folder))
    assert answer.code == 0
    assert "HTTPProxy default/site added" in answer.out
    assert "  +    fqdn: site.example.com" in answer.out
    assert "routes of site.example.com added" in answer.out
    assert "→  default/web/http" in answer.out
    assert "objects: 2 added; hosts with other routes: 1" in answer.out
    assert isoline.source.store.get(isoline.key("Service", "web")) is None


def test_a_changed_route_is_shown_beside_those_that_stay(isoline: Isoline, run: Run, folder: Path) -> None:
    run("apply", "-f", str(folder))
    changed = PROXY + "    - conditions: [{prefix: /api}]\n      services: [{name: web, port: 80}]\n"
    (folder / "site.yaml").write_text(changed)
    answer = run("diff", "-f", str(folder))
    assert "HTTPProxy default/site changed" in answer.out
    assert "Service" not in answer.out
    routes = [line for line in answer.out.splitlines() if "→" in line]
    assert [(line.strip()[0], "/api" in line) for line in routes] == [("+", True), ("h", False)]


def test_a_change_of_what_a_site_reads_shows_in_its_routes(isoline: Isoline, run: Run, folder: Path) -> None:
    run("apply", "-f", str(folder))
    (folder / "service.yaml").write_text(SERVICE.replace("port: 80", "port: 81"))
    answer = run("diff", "-f", str(folder / "service.yaml"))
    assert answer.code == 1
    assert "routes of site.example.com changed" in answer.out
    assert "would harm another: HTTPProxy default/site: ServiceError ServiceUnresolvedReference" in answer.err


def test_an_app_is_shown_with_all_that_it_becomes(isoline: Isoline, run: Run, tmp_path: Path) -> None:
    (tmp_path / "voice.yaml").write_text(APP)
    answer = run("diff", "-f", str(tmp_path / "voice.yaml"))
    for kind in ("App", "Deployment", "Service", "NetworkPolicy", "HTTPProxy"):
        assert f"{kind} default/voice" in answer.out
    assert "→  default/voice/http" in answer.out


def test_a_certificate_that_will_be_issued_is_no_fault_and_one_that_will_not_is(
    isoline: Isoline, run: Run, folder: Path
) -> None:
    site = PROXY.replace("site.example.com", "site.example.com\n    tls: {secretName: %s}")
    (folder / "site.yaml").write_text(site % "site-tls")
    answer = run("diff", "-f", str(folder))
    assert (answer.code, answer.err) == (0, "")
    assert "routes of site.example.com added" in answer.out
    (folder / "site.yaml").write_text(site % "elsewhere/site-tls")
    answer = run("diff", "-f", str(folder))
    assert answer.code == 1
    assert "would be invalid: HTTPProxy default/site: TLSError DelegationNotPermitted" in answer.err


def test_equal_manifests_differ_in_nothing(isoline: Isoline, run: Run, folder: Path) -> None:
    run("apply", "-f", str(folder))
    answer = run("diff", "-f", str(folder))
    assert (answer.code, answer.out) == (0, "objects: 2 unchanged; hosts with other routes: 0\n")


def test_a_secrets_new_value_shows_as_a_change_and_not_as_itself(isoline: Isoline, run: Run) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: hunter%s}\n"
    run("apply", "-f", "-", stdin=text % 2)
    assert run("diff", "-f", "-", stdin=text % 2).out.startswith("objects: 1 unchanged")
    answer = run("diff", "-f", "-", stdin=text % 3)
    assert "Secret default/s changed" in answer.out
    assert answer.out.count("<redacted>") == 2
    assert "hunter" not in answer.out
    assert "aHVudGVy" not in answer.out
