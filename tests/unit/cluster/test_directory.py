"""A watched directory: every way in which editors and tools change files, and what must not change by them."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Self
from unittest.mock import ANY

import pytest

from isoline.cluster.directory import DirectoryError, ManifestDirectory
from isoline.objects import ConfigMap, Key


def document(name: str, value: str = "1") -> str:
    return f'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: "{value}"\n'


def key(name: str) -> Key:
    return Key("ConfigMap", "default", name)


class Followed:
    """A directory that is followed, and every change of it in order."""

    def __init__(self, root: Path) -> None:
        self.directory = ManifestDirectory(root)
        self.history: list[tuple[str, str | None]] = []
        self.reads: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.directory.load()
        self._task = asyncio.create_task(self._follow())
        await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _follow(self) -> None:
        async for delta in self.directory.follow():
            self.reads += [self.directory.name_of(path) for path in delta.files]
            for changed, item in delta.put.items():
                assert isinstance(item, ConfigMap)
                self.history.append((changed.name, item.data["value"]))
            self.history += [(gone.name, None) for gone in delta.gone]

    def values(self) -> dict[str, str]:
        found = {}
        for each in sorted(self.directory.keys()):
            item = self.directory.get(each)
            assert isinstance(item, ConfigMap)
            found[each.name] = item.data["value"]
        return found

    async def becomes(self, **values: str) -> None:
        try:
            async with asyncio.timeout(10):
                while self.values() != values:  # noqa: ASYNC110 - what is waited for has no event
                    await asyncio.sleep(0.002)
        except TimeoutError:
            assert self.values() == values

    async def settles(self) -> None:
        """Waits longer than a file may take to come back, to see that nothing else happens."""
        await asyncio.sleep(0.3)


@pytest.fixture
async def followed(manifests: Path) -> AsyncIterator[Followed]:
    (manifests / "a.yaml").write_text(document("a"))
    (manifests / "b.yaml").write_text(document("b"))
    async with Followed(manifests) as followed:
        yield followed


def replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    temporary.rename(path)


def create(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)


def swap(path: Path, other: Path) -> None:
    path.rename(path.with_name("old"))
    other.rename(path)


async def test_a_file_written_in_place_counts(followed: Followed, manifests: Path) -> None:
    (manifests / "a.yaml").write_text(document("a", "2"))
    await followed.becomes(a="2", b="1")
    assert followed.reads == ["a.yaml"]


async def test_a_file_renamed_into_place_counts(followed: Followed, manifests: Path) -> None:
    replace(manifests / "a.yaml", document("a", "2"))
    await followed.becomes(a="2", b="1")
    assert followed.reads == ["a.yaml"]


async def test_a_new_file_in_a_new_folder_counts(followed: Followed, manifests: Path) -> None:
    (manifests / "sub" / "deep").mkdir(parents=True)
    (manifests / "sub" / "deep" / "c.yml").write_text(document("c"))
    await followed.becomes(a="1", b="1", c="1")
    (manifests / "sub" / "deep" / "c.yml").write_text(document("c", "2"))
    await followed.becomes(a="1", b="1", c="2")


async def test_a_removed_file_takes_its_objects_away(followed: Followed, manifests: Path) -> None:
    (manifests / "a.yaml").unlink()
    await followed.becomes(b="1")
    assert followed.history == [("a", None)]


async def test_a_file_removed_and_written_anew_takes_nothing_away(followed: Followed, manifests: Path) -> None:
    (manifests / "a.yaml").unlink()
    await asyncio.sleep(0.03)
    (manifests / "a.yaml").write_text(document("a", "2"))
    await followed.becomes(a="2", b="1")
    await followed.settles()
    assert followed.history == [("a", "2")]


async def test_a_renamed_file_takes_nothing_away(followed: Followed, manifests: Path) -> None:
    (manifests / "a.yaml").rename(manifests / "z.yaml")
    await followed.settles()
    assert followed.history == []
    assert followed.directory.file_of(key("a")) == "z.yaml"
    assert followed.directory.problems == []


async def test_a_file_written_in_steps_never_takes_anything_away(followed: Followed, manifests: Path) -> None:
    text = document("a", "2") + "---\n" + document("c", "2")
    with (manifests / "a.yaml").open("w") as file:
        for part in (text[:20], text[20:-30], text[-30:]):
            file.write(part)
            file.flush()
            await asyncio.sleep(0.03)
    await followed.becomes(a="2", b="1", c="2")
    assert None not in [value for _, value in followed.history]
    await followed.settles()
    assert followed.directory.problems == []


async def test_an_object_taken_out_of_a_file_goes(followed: Followed, manifests: Path) -> None:
    (manifests / "a.yaml").write_text(document("a") + "---\n" + document("c"))
    await followed.becomes(a="1", b="1", c="1")
    (manifests / "a.yaml").write_text(document("a"))
    await followed.becomes(a="1", b="1")


async def test_a_file_that_does_not_parse_keeps_its_objects_and_is_told_of(followed: Followed, manifests: Path) -> None:
    (manifests / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n")
    await followed.settles()
    assert followed.values() == {"a": "1", "b": "1"}
    (problem,) = followed.directory.problems
    assert problem.source == "a.yaml"
    assert problem.text.startswith("a.yaml:")
    (manifests / "a.yaml").write_text(document("a", "2"))
    await followed.becomes(a="2", b="1")
    assert followed.directory.problems == []


async def test_what_editors_leave_beside_changes_nothing(followed: Followed, manifests: Path) -> None:
    for name in (".a.yaml.swp", "a.yaml~", "#a.yaml#", ".hidden.yaml", "4913"):
        (manifests / name).write_text(document("x"))
    await followed.settles()
    assert followed.reads == []


async def test_the_first_file_by_path_wins_and_the_second_is_told_of(followed: Followed, manifests: Path) -> None:
    (manifests / "c.yaml").write_text("# a comment\n" + document("a", "2"))
    await followed.settles()
    assert followed.values() == {"a": "1", "b": "1"}
    (problem,) = followed.directory.problems
    assert problem.text == "c.yaml:2: ConfigMap default/a is defined in a.yaml already: that one counts"
    (manifests / "a.yaml").unlink()
    await followed.becomes(a="2", b="1")
    assert followed.directory.problems == []


async def test_a_linked_file_outside_is_followed(tmp_path: Path, manifests: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "real.yaml").write_text(document("a"))
    (manifests / "a.yaml").symlink_to(tmp_path / "elsewhere" / "real.yaml")
    async with Followed(manifests) as followed:
        await followed.becomes(a="1")
        (tmp_path / "elsewhere" / "real.yaml").write_text(document("a", "2"))
        await followed.becomes(a="2")
        replace(tmp_path / "elsewhere" / "real.yaml", document("a", "3"))
        await followed.becomes(a="3")


async def test_a_linked_folder_is_followed_and_a_circle_ends(tmp_path: Path, manifests: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.yaml").write_text(document("a"))
    (manifests / "link").symlink_to(tmp_path / "elsewhere")
    (manifests / "circle").symlink_to(manifests)
    async with Followed(manifests) as followed:
        await followed.becomes(a="1")
        (tmp_path / "elsewhere" / "a.yaml").write_text(document("a", "2"))
        await followed.becomes(a="2")


async def test_a_mounted_config_map_is_swapped_as_a_whole(manifests: Path) -> None:
    for version in ("1", "2", "3"):
        (manifests / f"..{version}").mkdir()
        (manifests / f"..{version}" / "a.yaml").write_text(document("a", version))
    (manifests / "..data").symlink_to("..1")
    (manifests / "a.yaml").symlink_to("..data/a.yaml")
    async with Followed(manifests) as followed:
        for version in ("2", "3"):
            (manifests / "..data_tmp").symlink_to(f"..{version}")
            (manifests / "..data_tmp").rename(manifests / "..data")
            shutil.rmtree(manifests / f"..{int(version) - 1}")
            await followed.becomes(a=version)
        assert followed.directory.problems == []


async def test_a_linked_root_is_followed_to_its_new_target(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "a.yaml").write_text(document("a", version))
    (tmp_path / "current").symlink_to("1")
    async with Followed(tmp_path / "current") as followed:
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").rename(tmp_path / "current")
        await followed.becomes(a="2")
        (tmp_path / "2" / "a.yaml").write_text(document("a", "3"))
        await followed.becomes(a="3")


async def test_a_removed_directory_takes_its_objects_and_may_come_back(followed: Followed, manifests: Path) -> None:
    shutil.rmtree(manifests)
    await followed.becomes()
    create(manifests / "a.yaml", document("a", "2"))
    await followed.becomes(a="2")
    (manifests / "a.yaml").write_text(document("a", "3"))
    await followed.becomes(a="3")


async def test_a_directory_swapped_for_another_takes_nothing_away(
    followed: Followed, manifests: Path, tmp_path: Path
) -> None:
    shutil.copytree(manifests, tmp_path / "other")
    (tmp_path / "other" / "a.yaml").write_text(document("a", "2"))
    swap(manifests, tmp_path / "other")
    await followed.becomes(a="2", b="1")
    await followed.settles()
    assert followed.history == [("a", "2")]
    (manifests / "b.yaml").write_text(document("b", "2"))
    await followed.becomes(a="2", b="2")


async def test_one_file_may_be_given_instead_of_a_directory(manifests: Path) -> None:
    (manifests / "a.yaml").write_text(document("a"))
    (manifests / "b.yaml").write_text(document("b"))
    async with Followed(manifests / "a.yaml") as followed:
        assert followed.values() == {"a": "1"}
        (manifests / "a.yaml").write_text(document("a", "2"))
        await followed.becomes(a="2")
        replace(manifests / "a.yaml", document("a", "3"))
        await followed.becomes(a="3")
        (manifests / "a.yaml").unlink()
        await followed.becomes()
        (manifests / "a.yaml").write_text(document("a", "4"))
        await followed.becomes(a="4")
        assert followed.directory.name_of(str(manifests / "a.yaml")) == "a.yaml"


async def test_many_files_written_at_once_all_count(followed: Followed, manifests: Path) -> None:
    for number in range(300):
        (manifests / f"f{number}.yaml").write_text(document(f"f{number}"))
    await followed.becomes(a="1", b="1", **{f"f{number}": "1" for number in range(300)})


def test_what_is_remembered_is_not_read_again(manifests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (manifests / "a.yaml").write_text(document("a"))
    (manifests / "b.yaml").write_text(document("b"))
    first = ManifestDirectory(manifests).load()
    remembered = {path: file for path, file in first.files.items() if file is not None}
    (manifests / "b.yaml").write_text(document("b", "22"))
    again = ManifestDirectory(manifests).load(remembered)
    assert {item.metadata.name for item in again.put.values()} == {"a", "b"}
    assert again.files == {str(manifests / "b.yaml"): ANY}


def test_a_file_broken_while_nobody_looked_keeps_what_is_remembered(manifests: Path) -> None:
    (manifests / "a.yaml").write_text(document("a"))
    remembered = {path: file for path, file in ManifestDirectory(manifests).load().files.items() if file is not None}
    (manifests / "a.yaml").write_text("kind: [")
    directory = ManifestDirectory(manifests)
    assert list(directory.load(remembered).put) == [key("a")]
    assert len(directory.problems) == 1


def test_pipes_and_dangling_links_are_passed_over(manifests: Path) -> None:
    os.mkfifo(manifests / "pipe.yaml")
    (manifests / "nothing.yaml").symlink_to("nowhere")
    (manifests / "a.yaml").write_text(document("a"))
    directory = ManifestDirectory(manifests)
    assert list(directory.load().put) == [key("a")]
    assert directory.problems == []


@pytest.mark.parametrize(("name", "text"), [("none", "no such file"), ("readme.md", r"\.yaml")])
def test_nothing_to_read_is_told_at_once(manifests: Path, name: str, text: str) -> None:
    (manifests / "readme.md").write_text("")
    with pytest.raises(DirectoryError, match=text):
        ManifestDirectory(manifests / name).load()
