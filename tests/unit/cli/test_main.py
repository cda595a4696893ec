"""The entry point: quick where nothing is asked, and never a stack trace for a person's mistake."""

import subprocess
import sys
from pathlib import Path

from isoline.cli.commands import app
from isoline.objects.crds import crd_documents
from isoline.version import VERSION
from unit.cli.conftest import Isoline, Run

ON_A_MACHINE = ["up", "down", "apply", "delete", "get", "describe", "logs", "check", "diff", "doctor", "trust", "crds"]
COMMANDS = [*ON_A_MACHINE, "control-plane", "certgen", "rate-limits"]


def isoline_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from isoline.cli.main import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)


def test_the_version_is_told_without_the_command_line() -> None:
    program = (
        "import sys; sys.argv = ['isoline', 'version']; from isoline.cli.main import main; main(); "
        "sys.exit('typer' in sys.modules or 'aiohttp' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, f"isoline {VERSION}\n")


def test_the_version_is_a_command_as_well(run: Run, capsys: object) -> None:
    assert run("version").out == f"isoline {VERSION}\n"


def test_every_command_has_help(run: Run) -> None:
    for command in COMMANDS:
        answer = run(command, "--help")
        assert answer.code == 0
        assert "--help" in answer.out
    named = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert named == {*COMMANDS, "version"}


def test_a_mistake_gives_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    answer = isoline_program("get", "--state", str(tmp_path))
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_commands_know_nothing_of_a_server_to_be_quick() -> None:
    program = "import sys, isoline.cli.commands; sys.exit('aiohttp' in sys.modules or 'grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_crds_are_printed_as_yaml(run: Run) -> None:
    out = run("crds").out
    assert out.count("kind: CustomResourceDefinition") == len(crd_documents())


def test_kinds_and_names_are_completed(isoline: Isoline, run: Run) -> None:
    run("apply", "-f", "-", stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
    from isoline.cli.options import known_kinds

    assert "configmaps" in known_kinds("conf")
    assert known_kinds("zzz") == []
