"""`isoline get`: what there is, as tables for people and as data for programs."""

import json
import threading
from pathlib import Path

import pytest
import yaml

from isoline.cli.columns import COLUMNS
from isoline.cli.output import duration
from isoline.objects import KINDS, App, AppSpec, AppStatus, ObjectMeta, Secret, SecretValue
from isoline.objects.decoding import decode_documents
from unit.cli.conftest import Isoline, Run

PROXY = """
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: site, namespace: team}
spec:
  virtualhost: {fqdn: site.example.com}
  routes: [{services: [{name: web, port: 80}]}]
"""


def put(isoline: Isoline, text: str) -> None:
    isoline.do(isoline.source.apply(decode_documents(text).objects))


@pytest.fixture
def voice(isoline: Isoline) -> Isoline:
    item = App(metadata=ObjectMeta(name="voice", namespace="default"), spec=AppSpec(profile="voice"))
    isoline.do(isoline.source.apply([item]))

    async def ready() -> None:
        status = AppStatus(phase="Ready", address="https://voice.localhost:8443", ready_replicas=1, replicas=2)
        isoline.source.set_status(item.key, status)

    isoline.do(ready())
    return isoline


def test_an_app_is_shown_with_phase_replicas_address_and_age(voice: Isoline, run: Run) -> None:
    answer = run("get", "apps")
    assert answer.code == 0
    head, row = answer.out.splitlines()
    assert head.split() == ["NAME", "PHASE", "READY", "ADDRESS", "AGE"]
    assert row.split()[:4] == ["voice", "Ready", "1/2", "https://voice.localhost:8443"]
    assert row.split()[4].endswith("s")


def test_without_a_kind_the_main_things_of_every_namespace_are_shown(voice: Isoline, run: Run) -> None:
    put(voice, PROXY)
    rows = [line.split() for line in run("get").out.splitlines()]
    assert rows[0] == ["NAMESPACE", "NAME", "PHASE", "READY", "ADDRESS", "AGE"]
    assert rows[1][:5] == ["default", "app/voice", "Ready", "1/2", "https://voice.localhost:8443"]
    assert rows[2][:4] == ["team", "httpproxy/site", "NotReconciled", "site.example.com"]


@pytest.mark.parametrize("words", [("app", "voice"), ("apps", "voice"), ("App/voice",), ("apps/voice",)])
def test_one_object_is_named_in_several_ways(voice: Isoline, run: Run, words: tuple[str, ...]) -> None:
    assert run("get", *words, "-o", "name").out == "app/voice\n"


def test_json_and_yaml_are_what_was_applied_and_more(voice: Isoline, run: Run) -> None:
    item = json.loads(run("get", "app", "voice", "-o", "json").out)
    assert (item["kind"], item["spec"]["profile"], item["status"]["phase"]) == ("App", "voice", "Ready")
    assert yaml.safe_load(run("get", "app", "voice", "-o", "yaml").out) == item
    listing = json.loads(run("get", "apps", "-o", "json").out)
    assert (listing["kind"], listing["items"]) == ("List", [item])


def test_what_was_printed_as_yaml_can_be_applied(voice: Isoline, run: Run) -> None:
    printed = run("get", "app", "voice", "-o", "yaml").out
    answer = run("apply", "-f", "-", stdin=printed)
    assert (answer.code, answer.out) == (0, "App default/voice unchanged\n")


def test_namespaces_are_kept_apart(voice: Isoline, run: Run) -> None:
    put(voice, PROXY)
    assert run("get", "proxy", "-o", "name").out == ""
    assert run("get", "proxy", "-n", "team", "-o", "name").out == "httpproxy/site\n"
    assert run("get", "proxy", "-A").out.split()[:2] == ["NAMESPACE", "NAME"]


def test_wide_shows_more(voice: Isoline, run: Run) -> None:
    assert "PROFILE" not in run("get", "apps").out
    assert "PROFILE" in run("get", "apps", "-o", "wide").out


def test_secrets_are_redacted_until_asked_for(isoline: Isoline, run: Run) -> None:
    secret = Secret(metadata=ObjectMeta(name="s", namespace="default"), data={"key": SecretValue(b"hunter2")})
    isoline.do(isoline.source.apply([secret]))
    redacted = run("get", "secret", "s", "-o", "yaml").out
    assert "aHVudGVyMg" not in redacted
    assert "<redacted>" in redacted
    assert "aHVudGVyMg" in run("get", "secret", "s", "-o", "yaml", "--show-secrets").out
    assert run("apply", "-f", "-", stdin=redacted).code == 1


def test_what_is_not_there_is_said(voice: Isoline, run: Run) -> None:
    answer = run("get", "app", "other")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "there is no app other in namespace default\n"
    answer = run("get", "configmaps")
    assert (answer.code, answer.err) == (0, "nothing there in namespace default\n")


def test_a_misspelt_kind_is_guessed(isoline: Isoline, run: Run) -> None:
    answer = run("get", "httproxies")
    assert answer.code == 1
    assert 'there is no kind "httproxies"; did you mean "httpproxies"?' in answer.err


def test_wrong_use_has_its_own_exit_code(isoline: Isoline, run: Run) -> None:
    assert run("get", "--nonsense").code == 2
    assert run("get", "apps", "-o", "xml").code == 2
    assert run("get", "app/voice", "voice").code == 2
    assert run("get", "-w").code == 2


def test_nothing_that_runs_is_said_with_what_to_do(tmp_path: Path, run: Run) -> None:
    answer = run("get", "--state", str(tmp_path / "none"))
    assert answer.code == 1
    assert "does not run" in answer.err
    assert "isoline up --state" in answer.err


def test_changes_are_shown_as_they_happen(voice: Isoline, run: Run) -> None:
    changed = threading.Timer(0.5, lambda: voice.do(voice.source.delete([voice.key("App", "voice")])))
    ended = threading.Timer(1.0, lambda: voice.do(voice._server.stop()))
    for timer in (changed, ended):
        timer.start()
    lines = run("get", "apps", "-w").out.splitlines()
    for timer in (changed, ended):
        timer.join()
    assert [line.split()[0] for line in lines] == ["NAME", "voice", "voice"]
    assert lines[-1].endswith("(deleted)")


def test_watched_rows_stand_in_columns_and_only_what_differs_is_shown(voice: Isoline, run: Run) -> None:
    async def turns(phase: str, engine: str) -> None:
        voice.source.set_status(voice.key("App", "voice"), AppStatus(phase=phase, engine=engine, ready_replicas=1))

    steps = [turns("Ready", "one"), turns("Ready", "two"), turns("Failed", "two")]
    timers = [threading.Timer(0.5 + 0.3 * at, voice.do, (step,)) for at, step in enumerate(steps)]
    timers.append(threading.Timer(2.0, lambda: voice.do(voice._server.stop())))
    for timer in timers:
        timer.start()
    lines = run("get", "apps", "-w").out.splitlines()
    for timer in timers:
        timer.join()
    # The engine is not shown: that it changes is not either.
    assert [line.split()[-4] for line in lines if "voice" in line][-1] == "Failed"
    assert sum("Ready" in line for line in lines[1:]) == 2
    assert len({line.find(word) for line, word in zip(lines, ("PHASE", "Ready", "Ready", "Failed"), strict=True)}) == 1


def test_every_kind_has_columns_or_needs_none() -> None:
    needing_none = {"Namespace", "TLSCertificateDelegation", "ExtensionService"}
    assert set(COLUMNS) | needing_none == {kind.name for kind in KINDS}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (10799, "179m"),
        (10800, "3h"),
        (11000, "3h3m"),
        (100_000, "27h"),
        (2e6, "23d"),
    ],
)
def test_ages_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_policy_is_shown_with_what_it_is_about(isoline: Isoline, run: Run) -> None:
    text = """
apiVersion: isoline.dev/v1alpha1
kind: TrafficPolicy
metadata: {name: uploads, namespace: default}
spec:
  targetRefs: [{kind: HTTPProxy, name: site, sectionName: /x}, {kind: App, name: voice}]
  requestBody: {maxSize: 1Mi}
"""
    put(isoline, text)
    head, row = run("get", "trafficpolicies").out.splitlines()
    assert head.split() == ["NAME", "ACCEPTED", "REASON", "TARGETS", "AGE"]
    assert row.split()[:5] == ["uploads", "Unknown", "Unknown", "HTTPProxy/site", "/x,App/voice"]
    described = run("describe", "trafficpolicy", "uploads").out
    assert "HTTPProxy site /x, App voice" in described
    assert "requestBody" in described
