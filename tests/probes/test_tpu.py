from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from colab_magics.model import Tpu
from colab_magics.probes import tpu
from colab_magics.probes.tpu import probe_tpus

GIB = 2**30

INTEL_BRIDGE = ("0x8086", "0x1237", "0x1100")
GVNIC = ("0x1ae0", "0x0042", "0x0058")  # Google's network card
V2 = ("0x1ae0", "0x0027", "0x004e")
V3 = ("0x1ae0", "0x0027", "0x004f")
V4 = ("0x1ae0", "0x005e", "0x0000")
V5E = ("0x1ae0", "0x0063", "0x0000")
V6E = ("0x1ae0", "0x006f", "0x0000")

Numbers = tuple[str, str, str]


class Machine:
    """A folder that stands for the root of a machine's file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bus = root / "sys/bus/pci/devices"

    def plug_in(self, address: str, numbers: Numbers) -> Path:
        folder = self.bus / address
        folder.mkdir(parents=True)
        for name, number in zip(("vendor", "device", "subsystem_device"), numbers, strict=True):
            (folder / name).write_text(f"{number}\n")
        return folder

    def plug_in_vfio(self, address: str, numbers: Numbers, *, group: int) -> Path:
        folder = self.plug_in(address, numbers)
        (folder / "iommu_group").symlink_to(f"../../../kernel/iommu_groups/{group}")
        self.add_device_file(f"vfio/{group}")
        return folder

    def plug_in_accel(self, address: str, numbers: Numbers, *, number: int) -> Path:
        folder = self.plug_in(address, numbers)
        (folder / f"accel/accel{number}").mkdir(parents=True)
        self.add_device_file(f"accel{number}")
        return folder

    def add_device_file(self, name: str) -> None:
        file = self.root / "dev" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    def run(self, pid: int, *files: str) -> None:
        folder = self.root / "proc" / str(pid) / "fd"
        folder.mkdir(parents=True)
        for number, file in enumerate(files):
            (folder / str(number)).symlink_to(file)

    def tpus(self, **environment: str) -> tuple[Tpu, ...]:
        return probe_tpus(environment=environment, root=str(self.root))

    def kinds(self) -> list[str | None]:
        return [one.kind for one in self.tpus()]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_machine_without_sysfs_has_no_tpu(machine: Machine) -> None:
    assert machine.tpus() == ()


def test_a_machine_with_other_devices_has_no_tpu(machine: Machine) -> None:
    machine.plug_in("0000:00:00.0", INTEL_BRIDGE)

    assert machine.tpus() == ()


def test_google_s_network_card_is_no_tpu(machine: Machine) -> None:
    machine.plug_in("0000:00:05.0", GVNIC)

    assert machine.tpus() == ()


def test_another_maker_s_device_of_the_same_number_is_no_tpu(machine: Machine) -> None:
    machine.plug_in("0000:00:05.0", ("0x8086", *V5E[1:]))

    assert machine.tpus() == ()


def test_a_v5e_of_colab_beside_its_network_card(machine: Machine) -> None:
    machine.plug_in("0000:00:00.0", INTEL_BRIDGE)
    machine.plug_in("0000:00:05.0", GVNIC)
    machine.plug_in_vfio("0000:00:04.0", V5E, group=0)
    machine.run(17, "/dev/null")

    assert machine.tpus(TPU_ACCELERATOR_TYPE="v5e-1", TPU_CHIPS_PER_HOST_BOUNDS="2,2,1") == (
        Tpu(
            index=0,
            kind="v5e",
            accelerator_type="v5e-1",
            memory_bytes=16 * GIB,
            pci_address="0000:00:04.0",
            held_by=(),
        ),
    )


def test_a_v6e_has_the_memory_that_is_published_for_it(machine: Machine) -> None:
    machine.plug_in("0000:00:04.0", V6E)
    (chip,) = machine.tpus(TPU_ACCELERATOR_TYPE="v6e-1")

    assert (chip.kind, chip.memory_bytes) == ("v6e", 32 * GIB)


def test_four_v4_are_numbered_in_the_order_of_their_addresses(machine: Machine) -> None:
    addresses = ["0000:00:04.0", "0000:00:05.0", "0000:00:06.0", "0000:00:07.0"]
    for address in reversed(addresses):
        machine.plug_in(address, V4)

    assert [(one.index, one.pci_address) for one in machine.tpus()] == list(enumerate(addresses))
    assert {(one.kind, one.memory_bytes) for one in machine.tpus()} == {("v4", 32 * GIB)}


def test_v2_and_v3_share_a_number_and_are_told_apart_by_their_subsystem(machine: Machine) -> None:
    machine.plug_in("0000:00:04.0", V2)
    machine.plug_in("0000:00:05.0", V3)

    assert machine.kinds() == ["v2", "v3"]


def test_a_v2_has_the_memory_of_both_its_cores(machine: Machine) -> None:
    machine.plug_in("0000:00:04.0", V2)

    assert machine.tpus()[0].memory_bytes == 16 * GIB


def test_a_v2_or_v3_that_does_not_say_which_is_not_guessed(machine: Machine) -> None:
    (machine.plug_in("0000:00:04.0", V2) / "subsystem_device").unlink()

    assert machine.tpus() == ()


def test_a_chip_whose_number_says_all_needs_no_subsystem(machine: Machine) -> None:
    (machine.plug_in("0000:00:04.0", V5E) / "subsystem_device").unlink()

    assert machine.kinds() == ["v5e"]


def test_chips_of_several_kinds_are_all_reported(machine: Machine) -> None:
    machine.plug_in("0000:00:04.0", V6E)
    machine.plug_in("0000:00:05.0", V5E)

    assert machine.kinds() == ["v6e", "v5e"]


def test_devices_that_cannot_be_read_cost_only_themselves(machine: Machine) -> None:
    (machine.plug_in("0000:00:01.0", V5E) / "vendor").unlink()
    (machine.plug_in("0000:00:02.0", V5E) / "device").unlink()
    folder = machine.plug_in("0000:00:03.0", V5E)
    (folder / "vendor").unlink()
    (folder / "vendor").mkdir()
    (machine.plug_in("0000:00:04.0", V5E) / "vendor").write_bytes(b"\xff\x00garbage" * 1000)
    (machine.plug_in("0000:00:05.0", V5E) / "device").write_text("")
    (machine.bus / "a file").touch()
    machine.plug_in("0000:00:06.0", V6E)

    assert machine.kinds() == ["v6e"]


def test_a_device_that_could_not_be_read_is_read_again(machine: Machine) -> None:
    folder = machine.plug_in("0000:00:04.0", V5E)
    (folder / "vendor").rename(folder / "hidden")
    assert machine.tpus() == ()

    (folder / "hidden").rename(folder / "vendor")
    assert machine.kinds() == ["v5e"]


def test_a_device_is_read_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.plug_in("0000:00:00.0", INTEL_BRIDGE)
    machine.plug_in("0000:00:04.0", V5E)
    first = machine.tpus()
    monkeypatch.setattr(tpu, "_word", lambda path: pytest.fail(f"read again: {path}"))

    assert machine.tpus() == first


def test_a_device_that_comes_later_is_seen(machine: Machine) -> None:
    machine.plug_in("0000:00:04.0", V5E)
    assert machine.kinds() == ["v5e"]

    machine.plug_in("0000:00:05.0", V5E)
    assert machine.kinds() == ["v5e", "v5e"]


@pytest.mark.parametrize("name", ["v5e-1", "v6e-1", "v5litepod-4", "<b>v9</b>"])
def test_where_the_bus_shows_none_the_variable_s_own_words_are_all_there_is(name: str, machine: Machine) -> None:
    assert machine.tpus(TPU_ACCELERATOR_TYPE=name, TPU_CHIPS_PER_HOST_BOUNDS="2,2,1") == (
        Tpu(index=0, kind=None, accelerator_type=name, memory_bytes=None, pci_address=None, held_by=None),
    )


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_variable_says_nothing(name: str, machine: Machine) -> None:
    assert machine.tpus(TPU_ACCELERATOR_TYPE=name) == ()


def test_other_variables_are_no_tpu(machine: Machine) -> None:
    assert machine.tpus(COLAB_TPU_1VM="1", TPU_CHIPS_PER_HOST_BOUNDS="2,2,1", TPU_NAME="local") == ()


def test_the_processes_that_have_a_chip_s_vfio_file_open_are_named(machine: Machine) -> None:
    machine.plug_in_vfio("0000:00:04.0", V5E, group=1)
    machine.plug_in_vfio("0000:00:05.0", V5E, group=0)
    machine.run(300, "/dev/null", "/dev/vfio/1", "/dev/vfio/vfio")
    machine.run(20, "/dev/vfio/1")
    machine.run(21, "/dev/vfio/10", "/tmp/dev/vfio/0", "socket:[1]")

    assert [one.held_by for one in machine.tpus()] == [(20, 300), ()]


def test_the_processes_that_have_a_v4_open_are_named(machine: Machine) -> None:
    machine.plug_in_accel("0000:00:04.0", V4, number=1)
    machine.plug_in_accel("0000:00:05.0", V4, number=0)
    machine.run(20, "/dev/accel0")

    assert [one.held_by for one in machine.tpus()] == [(), (20,)]


def test_what_else_lies_in_proc_is_no_process(machine: Machine) -> None:
    machine.plug_in_vfio("0000:00:04.0", V5E, group=0)
    machine.run(20, "/dev/vfio/0")
    (machine.root / "proc/self").symlink_to("20")
    (machine.root / "proc/21").mkdir()  # has ended while it was looked at
    (machine.root / "proc/20/fd/7").touch()  # no link

    assert machine.tpus()[0].held_by == (20,)


def test_other_users_processes_are_not_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.plug_in_vfio("0000:00:04.0", V5E, group=0)
    machine.run(20, "/dev/vfio/0")
    stranger = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: stranger)

    assert machine.tpus()[0].held_by == ()


def test_who_holds_a_chip_is_unknown_where_its_file_has_no_known_name(machine: Machine) -> None:
    machine.plug_in_vfio("0000:00:04.0", V5E, group=3)
    (machine.root / "dev/vfio/3").rename(machine.root / "dev/vfio/0")
    machine.plug_in("0000:00:05.0", V5E)
    machine.plug_in("0000:00:06.0", V4).joinpath("accel").mkdir()
    machine.run(20, "/dev/vfio/0")

    assert [one.held_by for one in machine.tpus()] == [None, None, None]


def test_who_holds_a_chip_is_unknown_where_nobody_can_look(machine: Machine) -> None:
    machine.plug_in_vfio("0000:00:04.0", V5E, group=0)

    assert machine.tpus()[0].held_by is None


def test_no_chip_s_file_is_opened(machine: Machine) -> None:
    """An audit hook cannot be taken back, so another Python looks."""
    machine.plug_in_vfio("0000:00:04.0", V5E, group=0)
    machine.plug_in_accel("0000:00:05.0", V4, number=0)
    machine.run(20, "/dev/vfio/0")
    code = f"""
import sys
from colab_magics.probes.tpu import probe_tpus
opened = []
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
assert len(probe_tpus(environment={{}}, root={str(machine.root)!r})) == 2
print(*opened, sep="\\n")
"""
    opened = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert any(path.endswith("/vendor") for path in opened)
    assert not any(path.startswith(str(machine.root / "dev")) for path in opened)


def test_looking_imports_no_framework_and_nothing_foreign() -> None:
    code = """
import sys
from colab_magics.probes.tpu import probe_tpus
probe_tpus(environment={"TPU_ACCELERATOR_TYPE": "v5e-1"})
print(*sys.modules)
"""
    beside_the_package = Path(tpu.__file__).parents[2]
    shown = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=beside_the_package
    )

    brought = {name.split(".")[0] for name in shown.stdout.split()}
    assert brought - sys.stdlib_module_names - {"colab_magics", "__main__"} == set()
