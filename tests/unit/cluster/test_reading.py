"""Two processes read what one would, with the same result."""

from pathlib import Path

import pytest

from isoline.cluster import reading
from isoline.cluster.directory import ManifestDirectory
from isoline.cluster.manifests import read_file
from isoline.cluster.reading import Task, read_many


def config_map(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{text: {'x' * 500}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(40):
        documents = (config_map(f"map-{number}-{document}") for document in range(10))
        (tmp_path / f"{number:02}.yaml").write_text("---\n".join(documents))
    return tmp_path


def tasks(folder: Path) -> list[Task]:
    return [Task(str(path), path.name) for path in sorted(folder.iterdir())]


def test_both_together_read_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WORTH_IT_BYTES", 1000)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    files = read_many(tasks(folder))
    assert len(files) == 40
    assert sum(len(file.definitions) for file in files.values()) == 400
    alone = {task.path: read_file(Path(task.path), name=task.name) for task in tasks(folder)}
    assert files == alone


def test_a_faulty_file_and_a_missing_one_are_left_to_the_caller(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WORTH_IT_BYTES", 1000)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    (folder / "00.yaml").write_text("kind: [")
    (folder / "39.yaml").write_text("kind: [")
    asked = [*tasks(folder), Task(str(folder / "gone.yaml"), "gone.yaml")]
    files = read_many(asked)
    assert {Path(path).name for path in files} == {f"{number:02}.yaml" for number in range(1, 39)}


def test_a_directory_tells_its_problems_whoever_reads_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WORTH_IT_BYTES", 1000)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    (folder / "39.yaml").write_text("kind: [")
    directory = ManifestDirectory(folder)
    delta = directory.load()
    assert len(delta.put) == 390
    assert ["39.yaml" in problem.text for problem in directory.problems] == [True]


def test_few_files_are_not_worth_another_process(folder: Path) -> None:
    assert read_many(tasks(folder)[:3]) == {}
