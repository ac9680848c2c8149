from __future__ import annotations

import os
from pathlib import Path

import pytest

from colab_magics.probes.other_gpus import probe_other_gpus

AMD, INTEL, NVIDIA = "0x1002", "0x8086", "0x10de"
VGA, DISPLAY_3D, DISPLAY, ACCELERATOR = "0x030000", "0x030200", "0x038000", "0x120000"


def plug_in(root: Path, address: str, vendor: str, kind: str, device: str = "0x74a1") -> Path:
    folder = root / "sys/bus/pci/devices" / address
    folder.mkdir(parents=True)
    for name, number in (("vendor", vendor), ("class", kind), ("device", device)):
        (folder / name).write_text(f"{number}\n")
    return folder


def probe(root: Path) -> tuple[str, ...]:
    return probe_other_gpus(system="linux", machine="x86_64", root=str(root))


@pytest.mark.parametrize(
    ("vendor", "kind", "expected"),
    [
        pytest.param(AMD, VGA, ("AMD",), id="Radeon, beside ROCm's PyTorch"),
        pytest.param(AMD, DISPLAY, ("AMD",), id="Instinct MI50"),
        pytest.param(AMD, ACCELERATOR, ("AMD",), id="Instinct MI300X"),
        pytest.param(INTEL, VGA, ("Intel",), id="Intel's own processors"),
        pytest.param(INTEL, DISPLAY, ("Intel",), id="Intel Data Center GPU"),
        pytest.param(AMD, "0x040300", (), id="a GPU's sound"),
        pytest.param(INTEL, ACCELERATOR, (), id="an accelerator of Intel's that is no GPU"),
        pytest.param(INTEL, "0x060000", (), id="a bridge"),
        pytest.param(NVIDIA, DISPLAY_3D, (), id="NVIDIA"),
        pytest.param("0x1013", VGA, (), id="Cirrus"),
        pytest.param("0x1af4", DISPLAY, (), id="virtio"),
        pytest.param("0x1b36", VGA, (), id="QXL"),
        pytest.param("0x15ad", VGA, (), id="VMware"),
        pytest.param("0x1234", VGA, (), id="Bochs"),
        pytest.param("0x1a03", VGA, (), id="ASPEED"),
        pytest.param("0x102b", VGA, (), id="Matrox"),
        pytest.param("0x1414", VGA, (), id="Hyper-V"),
    ],
)
def test_whose_gpu_it_is(vendor: str, kind: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    plug_in(tmp_path, "0000:00:02.0", vendor, kind)

    assert probe(tmp_path) == expected


@pytest.mark.parametrize("device", ["0x5046", "0x5159"])
def test_a_card_that_qemu_imitates_is_none(device: str, tmp_path: Path) -> None:
    plug_in(tmp_path, "0000:00:02.0", AMD, VGA, device)

    assert probe(tmp_path) == ()


def test_each_maker_is_named_once_and_in_one_order(tmp_path: Path) -> None:
    plug_in(tmp_path, "0000:00:02.0", INTEL, VGA)
    plug_in(tmp_path, "0000:03:00.0", AMD, VGA)
    plug_in(tmp_path, "0000:04:00.0", AMD, VGA)

    assert probe(tmp_path) == ("AMD", "Intel")


def test_where_there_is_no_bus_to_be_seen_there_is_none(tmp_path: Path) -> None:
    assert probe(tmp_path) == ()
    assert probe_other_gpus(system="win32", machine="AMD64", root=str(tmp_path)) == ()


@pytest.mark.parametrize("name", ["vendor", "class", "device"])
def test_a_device_that_cannot_be_read_costs_itself_alone_and_is_tried_again(name: str, tmp_path: Path) -> None:
    plug_in(tmp_path, "0000:00:02.0", INTEL, VGA)
    folder = plug_in(tmp_path, "0000:03:00.0", AMD, VGA)
    kept = (folder / name).read_text()
    (folder / name).unlink()

    assert probe(tmp_path) == ("Intel",)
    (folder / name).write_text(kept)
    assert probe(tmp_path) == ("AMD", "Intel")


def test_a_second_look_lists_the_bus_and_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(tmp_path, "0000:03:00.0", AMD, VGA)
    assert probe(tmp_path) == ("AMD",)
    monkeypatch.setattr(os, "open", lambda path, *_: pytest.fail(path))

    assert probe(tmp_path) == ("AMD",)


@pytest.mark.parametrize(("machine", "expected"), [("arm64", ("Apple",)), ("x86_64", ())], ids=["Apple's", "Intel's"])
def test_a_mac_with_apple_s_processor_has_apple_s_gpu(machine: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    assert probe_other_gpus(system="darwin", machine=machine, root=str(tmp_path)) == expected


def test_this_machine_can_be_looked_at() -> None:
    assert set(probe_other_gpus()) <= {"AMD", "Intel", "Apple"}
