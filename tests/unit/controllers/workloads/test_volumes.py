"""Volumes as folders: what each source gives, and that nothing gets out of its place."""

import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from isoline.controllers.workloads.environment import Values
from isoline.controllers.workloads.volumes import Provider, VolumeError, link, mounts, provide, remove
from isoline.objects import Deployment, SecretValue
from isoline.objects.containers import Container, VolumeMount
from isoline.objects.workloads import PodSpec
from unit.controllers.support import manifest


def pod(volumes: str) -> PodSpec:
    return manifest(
        f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: d}}
spec:
  selector: {{matchLabels: {{app: d}}}}
  template:
    metadata: {{labels: {{app: d}}}}
    spec:
      containers: [{{name: c, image: x}}]
      volumes: {volumes}
""",
        Deployment,
    ).spec.template.spec


class Place:
    def __init__(self, root: Path) -> None:
        self.folder = root / "replica" / "volumes"
        self.claims = root / "claims"
        self.secrets: dict[str, Values] = {"keys": {"token": SecretValue(b"s3cret"), "other": SecretValue(b"o")}}
        self.config: dict[str, Mapping[str, bytes]] = {"settings": {"a.conf": b"a = 1\n"}}

    def provide(self, volumes: str) -> dict[str, Path]:
        provider = Provider(
            claims=self.claims,
            claim_exists=lambda name: name == "data",
            config_map=self.config.get,
            secret=self.secrets.get,
        )
        return provide(pod(volumes), self.folder, provider)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_claim_outlives_its_replica_and_an_empty_dir_does_not(place: Place) -> None:
    volumes = "[{name: kept, persistentVolumeClaim: {claimName: data}}, {name: scratch, emptyDir: {}}]"
    folders = place.provide(volumes)
    for folder in folders.values():
        (folder / "file").write_text("x")

    remove(place.folder.parent)

    assert (place.claims / "data" / "file").exists()
    assert not place.folder.exists()
    assert stat.S_IMODE((place.claims / "data").stat().st_mode) == 0o700


def test_secrets_are_files_that_only_their_owner_can_read(place: Place) -> None:
    folder = place.provide("[{name: s, secret: {secretName: keys, items: [{key: token, path: deep/er/t}]}}]")["s"]

    file = folder / "deep" / "er" / "t"
    assert file.read_bytes() == b"s3cret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [found.name for found in folder.rglob("*") if found.is_file()] == ["t"]


def test_a_changed_config_map_is_brought_up_to_date_in_place(place: Place) -> None:
    volumes = "[{name: c, configMap: {name: settings}}]"
    folder = place.provide(volumes)["c"]
    place.config["settings"] = {"b.conf": b"b = 2\n"}

    assert place.provide(volumes)["c"] == folder

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {"b.conf": b"b = 2\n"}


def test_a_host_path_is_the_path_itself(place: Place, tmp_path: Path) -> None:
    made = tmp_path / "made"

    folders = place.provide(
        f"[{{name: a, hostPath: {{path: {tmp_path}}}}}, "
        f"{{name: b, hostPath: {{path: {made}, type: DirectoryOrCreate}}}}]"
    )

    assert folders == {"a": tmp_path, "b": made}
    assert made.is_dir()


@pytest.mark.parametrize(
    ("volumes", "words"),
    [
        ("[{name: v, persistentVolumeClaim: {claimName: gone}}]", 'persistentvolumeclaim "gone" not found'),
        ("[{name: v, secret: {secretName: gone}}]", 'secret "gone" not found'),
        ("[{name: v, configMap: {name: settings, items: [{key: nope, path: p}]}}]", 'has no key "nope"'),
        ("[{name: v, configMap: {name: settings, items: [{key: a.conf, path: ../../p}]}}]", 'without ".."'),
        ("[{name: v, configMap: {name: settings, items: [{key: a.conf, path: /etc/p}]}}]", "must be relative"),
        ("[{name: ../v, emptyDir: {}}]", "no DNS label"),
        ("[{name: v, nfs: {server: s, path: /p}}]", "nfs volumes are not available on one machine"),
        ("[{name: v, hostPath: {path: /does/not/exist}}]", "does not exist"),
    ],
)
def test_what_cannot_be_provided_is_told(place: Place, volumes: str, words: str) -> None:
    with pytest.raises(VolumeError, match=words.replace(".", r"\.").replace("?", r"\?")):
        place.provide(volumes)


def test_what_is_optional_is_empty_when_it_is_missing(place: Place) -> None:
    folder = place.provide("[{name: v, secret: {secretName: gone, optional: true}}]")["v"]

    assert list(folder.iterdir()) == []


def container(*volume_mounts: VolumeMount, working_dir: str = "") -> Container:
    return Container(name="c", working_dir=working_dir, volume_mounts=volume_mounts)


def test_a_program_is_told_where_its_volumes_are_and_which_paths_are_not_there(tmp_path: Path) -> None:
    told = mounts(
        container(
            VolumeMount(name="my-data", mount_path="/srv/nowhere/data"),
            VolumeMount(name="my-data", mount_path="/srv/nowhere/sub", sub_path="deep"),
            VolumeMount(name="host", mount_path=str(tmp_path)),
        ),
        {"my-data": tmp_path / "d", "host": tmp_path},
    )

    assert told.variables == {
        "ISOLINE_VOLUME_MY_DATA": str(tmp_path / "d"),
        "ISOLINE_VOLUME_MY_DATA_2": str(tmp_path / "d" / "deep"),
        "ISOLINE_VOLUME_HOST": str(tmp_path),
    }
    assert (tmp_path / "d" / "deep").is_dir()
    assert [text.split()[0] for text in told.unmounted] == ["/srv/nowhere/data", "/srv/nowhere/sub"]


def test_links_follow_the_mount_path_relative_to_the_working_directory(tmp_path: Path) -> None:
    told = mounts(
        container(
            VolumeMount(name="a", mount_path="/app/models"),
            VolumeMount(name="b", mount_path="/var/lib/b"),
            working_dir="/app",
        ),
        {"a": tmp_path / "a", "b": tmp_path / "b"},
    )
    assert set(told.links) == {PurePosixPath("models"), PurePosixPath("var/lib/b")}

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    work = tmp_path / "work"
    work.mkdir()
    link(work, told.links)
    link(work, told.links)
    (work / "models" / "m").write_text("m")

    assert (tmp_path / "a" / "m").read_text() == "m"
    remove(work)
    assert (tmp_path / "a" / "m").exists()


@pytest.mark.parametrize(
    ("mount", "words"),
    [
        (VolumeMount(name="nobody", mount_path="/x"), 'no volume "nobody"'),
        (VolumeMount(name="a", mount_path="/x", sub_path="../../etc"), 'without ".."'),
        (VolumeMount(name="a", mount_path="/../../etc"), 'without ".."'),
    ],
)
def test_a_mount_stays_inside_its_volume(tmp_path: Path, mount: VolumeMount, words: str) -> None:
    with pytest.raises(VolumeError, match=words):
        mounts(container(mount), {"a": tmp_path})
