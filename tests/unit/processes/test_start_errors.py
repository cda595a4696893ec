"""What cannot be started is refused with a sentence that a user can act on."""

from pathlib import Path

import pytest

from isoline.processes import ProcessSpec, ProcessTable, StartError


async def refusal(table: ProcessTable, *argv: str, cwd: Path | None = None, path: str = "/usr/bin") -> str:
    with pytest.raises(StartError) as caught:
        await table.start(ProcessSpec(name="app", argv=argv, env={"PATH": path}, cwd=cwd))
    assert table.adopt() == []
    assert table.processes == []
    return str(caught.value)


async def test_a_program_that_is_not_on_the_path(table: ProcessTable) -> None:
    message = await refusal(table, "no-such-program")
    assert "there is no program 'no-such-program' on its PATH; install it" in message


async def test_a_file_that_is_not_there(table: ProcessTable, tmp_path: Path) -> None:
    assert await refusal(table, "./run.sh", cwd=tmp_path) == f"cannot start app: there is no file {tmp_path}/run.sh"


async def test_a_file_that_is_not_executable(table: ProcessTable, tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    message = await refusal(table, str(tmp_path / "run.sh"))
    assert message.startswith(f"cannot start app: {tmp_path}/run.sh is not executable; `chmod +x`")


async def test_a_working_directory_that_is_not_there(table: ProcessTable, tmp_path: Path) -> None:
    message = await refusal(table, "true", cwd=tmp_path / "gone")
    assert message == f"cannot start app: its working directory {tmp_path}/gone does not exist"


async def test_a_file_that_the_kernel_does_not_take(table: ProcessTable, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("echo no first line\n")
    program.chmod(0o755)
    assert "neither a program for this machine nor a script" in await refusal(table, str(program))


async def test_a_script_whose_interpreter_is_missing(table: ProcessTable, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    message = await refusal(table, str(script))
    assert message == f"cannot start app: the interpreter that the first line of {script} names does not exist"


async def test_after_a_refusal_the_name_is_free(table: ProcessTable) -> None:
    await refusal(table, "no-such-program")
    process = await table.start(ProcessSpec(name="app", argv=("true",)))
    assert (await process.wait()).code == 0
