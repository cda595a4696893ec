"""Limits, GPU slots, and what a container is told of its resources."""

import os
from pathlib import Path

import pytest

from isoline.apps import load_catalog
from isoline.controllers.workloads.resources import (
    GPU,
    GPUSlots,
    NotEnoughGPUsError,
    find_gpus,
    gpus_needed,
    limits,
    resource_field,
)
from isoline.objects.containers import Container
from isoline.objects.core import ResourceRequirements
from isoline.objects.workloads import PodSpec


def test_limits_are_bytes_and_cores() -> None:
    found = limits(ResourceRequirements(limits={"cpu": "500m", "memory": "2Gi", GPU: "1"}))

    assert (found.cpu_cores, found.memory_bytes) == (0.5, 2 * 1024**3)
    assert limits(ResourceRequirements(requests={"cpu": "2"})).cpu_cores is None


def test_a_bad_quantity_is_told_with_its_field() -> None:
    with pytest.raises(ValueError, match=r"resources\.limits\['memory'\].*lots"):
        limits(ResourceRequirements(limits={"memory": "lots"}))


def test_a_gpu_belongs_to_one_replica_at_a_time() -> None:
    slots = GPUSlots(("0", "1", "2"))

    assert slots.take("a", 1) == ("0",)
    assert slots.take("b", 2) == ("1", "2")
    assert slots.take("b", 2) == ("1", "2")
    with pytest.raises(NotEnoughGPUsError, match="1 asked for, 0 of 3 free"):
        slots.take("c", 1)

    slots.release("a")
    assert slots.take("c", 1) == ("0",)
    assert slots.take("d", 0) == ()


def test_a_replica_of_an_earlier_run_keeps_its_gpus() -> None:
    slots = GPUSlots(("0", "1"))
    slots.keep("old", ("1", "7"))

    assert slots.take("new", 1) == ("0",)
    with pytest.raises(NotEnoughGPUsError):
        slots.take("newer", 1)


def test_a_machine_without_gpus_says_so() -> None:
    with pytest.raises(NotEnoughGPUsError, match="this machine has no GPU"):
        GPUSlots(()).take("a", 1)


@pytest.mark.parametrize(
    ("image", "devices", "needed"),
    [("cosyvoice3:latest", (), 0), ("cosyvoice3:latest", ("0",), 1), ("isoline.dev/host", (), 1)],
)
def test_a_profile_with_a_cpu_variant_can_do_without_where_there_is_none(
    image: str, devices: tuple[str, ...], needed: int
) -> None:
    asking = ResourceRequirements(requests={GPU: "1"})
    pod = PodSpec(containers=(Container(name="c", image=image, resources=asking),))

    assert gpus_needed(pod, load_catalog(), GPUSlots(devices)) == needed


def test_without_nvidia_smi_the_device_files_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("nvidia0", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()

    assert find_gpus(tmp_path) == ("0", "2", "10")


def test_nvidia_smi_is_believed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 0; echo 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")

    assert find_gpus(tmp_path) == ("0", "1")

    program.write_text("#!/bin/sh\nexit 9\n")
    assert find_gpus(tmp_path) == ()


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.memory", "1Mi", "2048"),
        ("limits.cpu", "1", "1"),
        ("limits.cpu", "1m", "500"),
        ("limits.memory", "0", str(2 * 1024**3)),
        ("limits.disk", "1", None),
        ("wishes.cpu", "1", None),
    ],
)
def test_a_resource_field_is_rounded_up_to_the_divisor(resource: str, divisor: str, value: str | None) -> None:
    container = Container(name="c", resources=ResourceRequirements(limits={"cpu": "500m", "memory": "2Gi"}))

    assert resource_field(container, resource, divisor) == value


def test_without_a_limit_a_container_may_use_the_whole_machine() -> None:
    assert resource_field(Container(name="c"), "limits.cpu", "1") == str(os.cpu_count())
