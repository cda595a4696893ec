"""A Secret that goes away while no control plane runs takes no host down."""

import datetime as dt
import stat
from pathlib import Path

import pytest

from isoline.gateway.kept_certificates import KeptCertificates
from isoline.objects import Object
from isoline.routing.statuses import ProxyStatus
from isoline.xds import types
from isoline.xds.resources import Name
from unit.gateway.test_flow import World, errors_of, forwarding, proxy
from unit.routing.support import secret, self_signed, service

SERVED = Name(types.SECRET, "a.example")
OWNER = proxy("a").key


def site(*, generation: int = 1) -> Object:
    return forwarding("a", secret="tls").with_metadata(generation=generation, uid="one")


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """What a run left that served a host from its Secret."""
    file = tmp_path / "certificates.sqlite3"
    kept = KeptCertificates(file)
    world = World(certificates=kept)
    world.store.apply([site(), service("app"), secret()])
    async with world.running():
        assert world.cache.get(SERVED) is not None
    await kept.flush()
    return file


async def restarted(path: Path, *items: Object, now: dt.datetime | None = None) -> World:
    """A run in which everything has been compiled; nothing follows."""
    kept = KeptCertificates(path)
    world = World(certificates=kept)
    world.now = now or world.now
    world.store.apply([*items, service("app")])
    async with world.running():
        pass
    await kept.flush()
    return world


def status(world: World) -> ProxyStatus:
    found = world.statuses[OWNER]
    assert found is not None
    return found


async def test_a_secret_that_went_while_nobody_looked_serves_on_with_a_warning(path: Path) -> None:
    for _ in range(2):
        world = await restarted(path, site())
        assert world.cache.get(SERVED) is not None
        assert world.flow.kept_certificates.keys() == {"default/tls"}
        (warning,) = status(world).warnings
        assert "its last good certificate serves until it ends" in warning.message


async def test_what_is_there_again_counts(path: Path) -> None:
    renewed = self_signed()
    world = await restarted(path, site(), secret(contents=renewed))
    found = world.cache.get(SERVED)
    assert found is not None
    assert renewed[0] in found.body
    assert world.flow.kept_certificates == {}
    found = (await restarted(path, site())).cache.get(SERVED)
    assert found is not None
    assert renewed[0] in found.body


async def test_who_was_written_anew_meanwhile_keeps_nothing(path: Path) -> None:
    world = await restarted(path, site(generation=2))
    assert world.cache.get(SERVED) is None
    assert [reason for _, reason, _ in errors_of(world, "a")] == ["SecretNotValid"]


async def test_what_has_ended_meanwhile_is_not_served(path: Path) -> None:
    world = await restarted(path, site(), now=dt.datetime(2126, 1, 1, tzinfo=dt.UTC))
    assert world.cache.get(SERVED) is None


async def test_a_host_that_went_leaves_nothing_behind(path: Path) -> None:
    await restarted(path, secret())
    world = await restarted(path, site())
    assert world.cache.get(SERVED) is None


async def test_only_the_owner_may_read_the_file(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_that_cannot_be_read_is_made_anew(path: Path) -> None:
    path.write_bytes(b"no database")
    assert KeptCertificates(path).load().certificates == {}
    await restarted(path, site(), secret())
    assert KeptCertificates(path).load().certificates.keys() == {"default/tls"}
