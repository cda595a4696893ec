"""Where the server listens, and what it says when it cannot."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from isoline.xds.cache import Cache
from isoline.xds.server import Server
from isoline.xds.sockets import AddressError

Make = Callable[[str | Path], Server]


@pytest.fixture
async def make() -> AsyncIterator[Callable[[str | Path], Server]]:
    """Makes servers; all are stopped in the end."""
    made: list[Server] = []

    def server(address: str | Path) -> Server:
        text = address if isinstance(address, str) else f"unix:{address}"
        made.append(Server(Cache(), address=text, on_rejected=lambda *_: None))
        return made[-1]

    yield server
    for each in made:
        await each.stop()


async def listens(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def test_the_socket_is_ours_alone_and_may_be_used_again(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "xds.sock"
    one = make(path)
    await one.start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await listens(path)
    await one.stop()
    assert not await listens(path)
    await make(path).start()
    assert await listens(path)


async def test_a_socket_that_somebody_listens_on_is_left_alone(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "xds.sock"
    await make(path).start()
    with pytest.raises(AddressError, match="another server listens there; stop it first"):
        await make(path).start()
    assert await listens(path)


async def test_a_socket_that_nobody_listens_on_is_replaced(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "xds.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    await make(path).start()
    assert await listens(path)


async def test_a_file_is_not_overwritten(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "xds.sock"
    path.write_text("mine")
    with pytest.raises(AddressError, match="not a socket"):
        await make(path).start()
    assert path.read_text() == "mine"


async def test_a_path_that_is_too_long_says_so(tmp_path: Path, make: Make) -> None:
    with pytest.raises(AddressError, match="107 bytes"):
        await make(tmp_path / ("x" * 120)).start()


async def test_a_folder_that_is_not_there_says_so(tmp_path: Path, make: Make) -> None:
    with pytest.raises(AddressError, match="cannot listen there"):
        await make(tmp_path / "nowhere" / "xds.sock").start()


async def test_a_port_will_do_as_well(make: Make) -> None:
    server = make("127.0.0.1:0")
    await server.start()
    assert server.streams == []
