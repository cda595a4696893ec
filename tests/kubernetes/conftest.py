"""A real Kubernetes, one for all tests of a worker."""

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from kubernetes.rig import Api, Rig, UnavailableError


@pytest.fixture(scope="session")
def running_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """etcd, API server, controller manager and scheduler."""
    try:
        rig = Rig(tmp_path_factory.mktemp("rig"), workloads=True)
    except UnavailableError as reason:
        # Where it can be built it must run: nobody reads what was skipped.
        if shutil.which("go"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    with rig:
        yield rig


@pytest.fixture
def rig(running_rig: Rig) -> Iterator[Rig]:
    """The rig, with the test in its network."""
    with running_rig.inside():
        yield running_rig


@pytest.fixture
async def api(rig: Rig) -> AsyncIterator[Api]:
    """The API server, as its administrator."""
    async with Api(rig) as client:
        yield client
