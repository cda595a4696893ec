"""The commands of one machine answer for a cluster as well, by a context of a kubeconfig."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog
import yaml

from isoline.cli.client import PLUGIN
from isoline.cli.commands import app as commands
from isoline.objects.crds import crd_documents
from kubernetes.planes import defined, emptied_of_apps, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig
from kubernetes.test_operator import accepted, app


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Answer]]


@pytest.fixture
def run(rig: Rig, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    def invoke(arguments: tuple[str, ...]) -> int:
        try:
            code = commands(list(arguments), standalone_mode=False)
        except SystemExit as end:
            code = end.code
        return int(code or 0)

    async def run(*arguments: str) -> Answer:
        # A command is not asynchronous, and has an event loop of its own where it needs one.
        given = (*arguments, "--kubeconfig", str(rig.kubeconfig))
        code = await asyncio.to_thread(invoke, given)
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    yield run
    structlog.reset_defaults()


async def test_get_and_describe_show_what_the_cluster_has(
    rig: Rig, api: Api, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace = await new_namespace(api)
    await api.apply(proxy("shown", namespace))
    await api.apply(proxy("faulty", namespace, routes=[{"services": [{"name": "missing", "port": 80}]}]))
    async with running(options_for(rig, namespace)):
        for name in ("shown", "faulty"):
            await api.wait("HTTPProxy", name, lambda item: "conditions" in item.get("status", {}), namespace=namespace)
        capsys.readouterr()
        listed = await run("get", "httpproxy", "-n", namespace)
        assert listed.code == 0, listed
        assert "shown.example" in listed.out
        assert [line.split()[2] for line in sorted(listed.out.splitlines()[1:])] == ["invalid", "valid"]
        described = await run("describe", "httpproxy", "faulty", "-n", namespace)
        assert "ServiceUnresolvedReference" in described.out
        assert "faulty.example" in described.out
        missing = await run("get", "httpproxy", "none", "-n", namespace)
        assert (missing.code, "there is no httpproxy none" in missing.err) == (1, True)


async def test_diff_and_check_tell_what_would_become_of_a_change_and_change_nothing(
    rig: Rig, api: Api, run: Run, tmp_path: Path
) -> None:
    namespace = await new_namespace(api)
    await api.apply(proxy("old", namespace, "one"))
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(proxy("old", namespace, "two")))
    compared = await run("diff", "-f", str(path))
    assert compared.code == 0, compared
    assert "HTTPProxy" in compared.out
    assert any(line.split() == ["+", "body:", "two"] for line in compared.out.splitlines()), compared.out
    assert (await api.get("HTTPProxy", "old", namespace=namespace))["spec"] == proxy("old", namespace, "one")["spec"]
    path.write_text(yaml.safe_dump(proxy("thief", namespace, virtualhost={"fqdn": "old.example"})))
    checked = await run("check", str(path))
    assert checked.code == 1
    assert "old" in checked.err


async def test_apps_are_judged_as_the_cluster_makes_them(rig: Rig, api: Api, run: Run, tmp_path: Path) -> None:
    namespace = await new_namespace(api)
    path = tmp_path / "app.yaml"
    given = app(namespace, storage=[{"name": "models", "path": "/models"}], scale={"min": 2})

    async def told(command: str, **spec: Any) -> Answer:
        path.write_text(yaml.safe_dump({**given, "spec": given["spec"] | spec}))
        return await run(command, *(("-f",) if command == "diff" else ()), str(path))

    (definition,) = (each for each in crd_documents() if each["spec"]["names"]["kind"] == "App")
    async with defined(api, definition), emptied_of_apps(api, namespace):
        async with running(options_for(rig, namespace)):
            await api.apply(given)
            await api.wait("App", "hello", accepted, namespace=namespace)
        # An image without a command is what a cluster runs, and no fault there.
        checked = await told("check")
        assert "spec.run" not in checked.err, checked
        refused = await told("check", tls={"selfSigned": True})
        assert "spec.tls.selfSigned: needs one machine" in refused.err
        same = await told("diff")
        assert [line for line in same.out.splitlines() if not line.startswith(" ")] == [
            "objects: 7 unchanged; hosts with other routes: 0"
        ], same.out
        changed = await told("diff", scale={"min": 1})
        heads = {line for line in changed.out.splitlines() if not line.startswith(" ")}
        assert {
            f"App {namespace}/hello changed",
            f"Deployment {namespace}/hello changed",
            f"PodDisruptionBudget {namespace}/hello removed",
        } <= heads, changed.out


async def test_logs_are_those_of_the_pods_that_a_deployment_has(run: Run, api: Api) -> None:
    namespace = await new_namespace(api)
    answer = await run("logs", "nobody", "-n", namespace)
    assert (answer.code, f"there is no app or deployment {namespace}/nobody" in answer.err) == (1, True)


async def test_as_a_plugin_of_kubectl_the_current_context_is_meant(
    rig: Rig, api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace = await new_namespace(api)
    await api.apply(proxy("plugged", namespace))
    monkeypatch.setenv("KUBECONFIG", str(rig.kubeconfig))
    monkeypatch.setenv(PLUGIN, "1")
    await asyncio.to_thread(commands, ["get", "httpproxy", "-n", namespace], standalone_mode=False)
    assert "plugged.example" in capsys.readouterr().out
