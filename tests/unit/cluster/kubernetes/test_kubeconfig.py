"""A kubeconfig means what it means to kubectl, and what is wrong with one is said with its file and its name."""

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from isoline.cluster.kubernetes.errors import CredentialsError, KubeconfigError
from isoline.cluster.kubernetes.in_cluster import in_cluster
from isoline.cluster.kubernetes.kubeconfig import default_paths, from_kubeconfig

TOKEN = "t0k3n"


def config(user: dict[str, Any], *, name: str = "one", current: str = "one", **cluster: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example:6443/", **cluster}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"of-{name}"}}],
        "preferences": {},
    }


def written(path: Path, value: Any) -> Path:
    path.write_text(yaml.safe_dump(value))
    return path


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_the_current_context_is_meant_and_another_can_be_named(tmp_path: Path) -> None:
    first = written(tmp_path / "first", config({"token": TOKEN}))
    second = written(tmp_path / "second", config({"username": "u", "password": "p"}, name="two", current="two"))
    connection = from_kubeconfig([first, second])
    assert (connection.server, connection.namespace) == ("https://one.example:6443", "of-one")
    assert await connection.identity.headers() == {"Authorization": f"Bearer {TOKEN}"}
    other = from_kubeconfig([first, second], context="two")
    assert other.server == "https://two.example:6443"
    assert await other.identity.headers() == {"Authorization": "Basic dTpw"}


def test_the_files_are_those_of_the_variable_or_the_one_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/a:/b:")
    assert default_paths() == [Path("/a"), Path("/b")]
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_paths() == [Path("/home/somebody/.kube/config")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current-context": ""}, "current-context is not set: give --context"),
        ({"current-context": "none"}, 'there is no context "none" in the kubeconfig; there are: one'),
        ({"users": []}, 'there is no user "one" in the kubeconfig; there are: none'),
        ({"clusters": [{"name": "one", "cluster": {"server": "one.example"}}]}, "a URL is wanted"),
        ({"users": [{"name": "one", "user": {"auth-provider": {"name": "gcp"}}}]}, "use exec"),
        ({"users": [{"name": "one", "user": {"client-key": "key.pem"}}]}, "only one of client-certificate and"),
        ({"users": [{"name": "one", "user": {"client-key-data": "%", "client-certificate": "c"}}]}, "base64"),
        ({"contexts": "no list"}, "no kubeconfig"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = written(tmp_path / "config", config({"token": TOKEN}) | change)
    with pytest.raises(KubeconfigError, match=words.replace("(", r"\(")):
        from_kubeconfig([path])


def test_without_any_file_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    with pytest.raises(KubeconfigError, match="nowhere: give --kubeconfig"):
        from_kubeconfig()


async def test_a_token_file_is_beside_the_kubeconfig_and_read_again_when_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    identity = from_kubeconfig([written(tmp_path / "config", config({"tokenFile": "token"}))]).identity
    assert await identity.headers() == {"Authorization": "Bearer first"}
    (tmp_path / "token").write_text("second\n")
    assert await identity.headers() == {"Authorization": "Bearer first"}
    identity.rejected()
    assert await identity.headers() == {"Authorization": "Bearer second"}


async def test_a_program_is_asked_once_until_what_it_said_ends_or_is_refused(tmp_path: Path) -> None:
    answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"told-%s"}}'
    script(
        tmp_path / "plugin",
        f'echo x >> "$(dirname "$0")/asked"; printf \'{answer}\' "$1-$WHO-$(wc -l < "$(dirname "$0")/asked")"',
    )
    plugin = {"command": "./plugin", "args": ["arg"], "env": [{"name": "WHO", "value": "me"}]}
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **plugin}}
    identity = from_kubeconfig([written(tmp_path / "config", config(user))]).identity
    for _ in range(2):
        assert await identity.headers() == {"Authorization": "Bearer told-arg-me-1"}
    identity.rejected()
    assert await identity.headers() == {"Authorization": "Bearer told-arg-me-2"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo no login >&2; exit 3", "ended with 3: no login"),
        ('echo "half a secret"', "printed no ExecCredential"),
        ('echo "{}"', "printed no ExecCredential"),
    ],
)
async def test_a_program_that_fails_is_told_in_its_words_and_what_it_printed_is_not(
    tmp_path: Path, body: str, words: str
) -> None:
    script(tmp_path / "plugin", body)
    identity = from_kubeconfig([written(tmp_path / "config", config({"exec": {"command": "./plugin"}}))]).identity
    with pytest.raises(CredentialsError, match=words) as told:
        await identity.headers()
    assert "half a secret" not in str(told.value)


async def test_a_program_that_is_not_there_is_told_with_the_hint_of_the_kubeconfig(tmp_path: Path) -> None:
    user = {"exec": {"command": "no-such-plugin-anywhere", "installHint": "get it\n  from there"}}
    identity = from_kubeconfig([written(tmp_path / "config", config(user))]).identity
    with pytest.raises(CredentialsError, match=r"no-such-plugin-anywhere cannot be run.*; get it from there"):
        await identity.headers()


async def test_a_pod_finds_its_server_and_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(CredentialsError, match="this is no pod"):
        in_cluster(tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    with pytest.raises(CredentialsError, match="automountServiceAccountToken"):
        in_cluster(tmp_path)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "namespace").write_text("gateway")
    connection = in_cluster(tmp_path)
    assert (connection.server, connection.namespace) == ("https://[fd00::1]:6443", "gateway")
    assert await connection.identity.headers() == {"Authorization": f"Bearer {TOKEN}"}
