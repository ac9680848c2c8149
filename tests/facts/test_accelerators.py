from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from builders import A100, COLAB, CPU_RUNTIME, GIB, JUPYTER, KAGGLE, SILENT, T4, V5E, a_ram, a_report, a_snapshot
from colab_magics import guides, rules
from colab_magics.facts import accelerators
from colab_magics.facts.accelerators import Rate, by_id
from colab_magics.guides import Goal, MenuStep
from colab_magics.model import GpuMemory, State, Subject, Unavailable
from colab_magics.requirement import check, parse
from colab_magics.translation import translator
from colab_magics.views import guide_html, messages

L4 = replace(T4, name="NVIDIA L4")
A100_80 = replace(A100, name="NVIDIA A100-SXM4-80GB")
H100 = replace(T4, name="NVIDIA H100 80GB HBM3")
G4 = replace(T4, name="NVIDIA RTX PRO 6000 Blackwell Server Edition")
UNHEARD_OF = replace(T4, name="NVIDIA B200")
NAMELESS = replace(A100, name=None)
OF_UNKNOWN_TYPE = replace(V5E, kind="v2", accelerator_type=None)
V6E = replace(V5E, kind="v6e", accelerator_type="v6e-1")
UNREADABLE = Unavailable(code="unreadable", values=(("error", "OSError"),))


# Which it is ------------------------------------------------------------------------------------------------------


def test_an_accelerator_is_found_by_google_s_id() -> None:
    assert by_id("T4").menu_name == "T4 GPU"
    with pytest.raises(LookupError, match="V100"):
        by_id("V100")


@pytest.mark.parametrize(
    ("device_name", "key"),
    [
        (T4.name, "T4"),
        (A100.name, "A100"),
        (A100_80.name, "A100"),
        (G4.name, "G4"),
        ("v5e-1", "V5E1"),
        (None, "NONE"),
    ],
)
def test_the_driver_s_name_leads_to_the_accelerator(device_name: str | None, key: str) -> None:
    assert accelerators.by_device_name(device_name) == by_id(key)


@pytest.mark.parametrize("name", ["NVIDIA L40S", "tesla t4", "", "T4 GPU"])
def test_another_name_leads_nowhere(name: str) -> None:
    assert accelerators.by_device_name(name) is None


def test_the_dialog_s_name_leads_to_the_accelerator() -> None:
    assert accelerators.by_menu_name("G4 GPU") == by_id("G4")
    assert accelerators.by_menu_name(str(G4.name)) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "T4", id="a GPU"),
        pytest.param({"gpus": (A100_80,)}, "A100", id="either card of one choice"),
        pytest.param({"gpus": ()}, "NONE", id="none"),
        pytest.param({"gpus": (), "tpus": ()}, "NONE", id="neither GPU nor TPU"),
        pytest.param({"gpus": (), "tpus": (V5E,)}, "V5E1", id="a TPU"),
        pytest.param(
            {"gpus": (), "tpus": (replace(V6E, accelerator_type=None),)}, "V6E1", id="a TPU by its chip alone"
        ),
        pytest.param({"gpus": (), "tpus": (replace(V5E, accelerator_type="v5e-8"),)}, None, id="a TPU of another size"),
        pytest.param({"gpus": (UNHEARD_OF,)}, None, id="a GPU that is not in the table"),
        pytest.param({"gpus": (NAMELESS,)}, None, id="a GPU without a name is not taken for none"),
        pytest.param({"gpus": SILENT, "tpus": (V5E,)}, "V5E1", id="a TPU, whatever the driver says"),
        pytest.param({"gpus": (), "tpus": UNREADABLE}, None, id="whether there is a TPU is not known"),
        pytest.param({"gpus": SILENT}, None, id="nobody could look"),
        pytest.param({"gpus": None}, None, id="nobody looked"),
        pytest.param({"platform": KAGGLE}, None, id="the table is not Kaggle's"),
        pytest.param({"platform": JUPYTER}, None, id="nor of a machine of one's own"),
        pytest.param({"platform": replace(COLAB, service="colab_enterprise")}, None, id="nor Enterprise's"),
    ],
)
def test_which_accelerator_of_colab_s_is_in_use(changes: dict[str, Any], expected: str | None) -> None:
    assert accelerators.in_use(a_snapshot(**changes)) == (None if expected is None else by_id(expected))


# In which shape ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"ram": a_ram(12.7), "gpus": ()}, False, id="CPU standard"),
        pytest.param({"ram": a_ram(51.0), "gpus": ()}, True, id="CPU high-RAM"),
        pytest.param({"ram": a_ram(12.7)}, False, id="T4 standard"),
        pytest.param({"ram": a_ram(51.0)}, True, id="T4 high-RAM"),
        pytest.param({"ram": a_ram(19.0)}, False, id="just under 1.5 times the standard shape"),
        pytest.param({"ram": a_ram(19.1)}, True, id="just over"),
        pytest.param({"ram": a_ram(83.5), "gpus": (A100,)}, False, id="a standard A100 has 83.5 GiB"),
        pytest.param({"ram": a_ram(167.1), "gpus": (A100,)}, True, id="A100 high-RAM"),
        pytest.param({"ram": a_ram(167.1), "gpus": (A100_80,)}, True, id="A100 high-RAM, its own card"),
        pytest.param({"ram": a_ram(53.0), "gpus": (L4,)}, None, id="L4 has one shape"),
        pytest.param({"ram": a_ram(12.7), "gpus": (L4,)}, None, id="L4 has one shape, however little is shown"),
        pytest.param({"ram": a_ram(47.1), "gpus": (), "tpus": (V5E,)}, None, id="v5e-1 has one shape"),
        pytest.param({"ram": a_ram(12.7), "gpus": (), "tpus": (V5E,)}, None, id="however little is shown"),
        pytest.param({"ram": a_ram(12.7), "gpus": (), "tpus": (OF_UNKNOWN_TYPE,)}, None, id="a TPU of unknown type"),
        pytest.param({"ram": a_ram(47.1), "gpus": (), "tpus": UNREADABLE}, None, id="there may be a TPU"),
        pytest.param({"ram": a_ram(23.6), "gpus": ()}, True, id="25.3e9 bytes without a GPU"),
        pytest.param({"ram": a_ram(23.6)}, True, id="25.3e9 bytes with a T4"),
        pytest.param({"ram": a_ram(176.0), "gpus": (G4,)}, True, id="G4, of which no other size is known: 20e9 bytes"),
        pytest.param({"ram": a_ram(12.7), "gpus": (G4,)}, False, id="G4 below 20e9 bytes"),
        pytest.param({"ram": a_ram(180.0), "gpus": (H100,)}, True, id="H100, whose shapes are unpublished"),
        pytest.param({"ram": a_ram(18.6), "gpus": (H100,)}, False, id="H100 just under 20e9 bytes"),
        pytest.param({"ram": a_ram(18.6), "gpus": (UNHEARD_OF,)}, False, id="not in the table, just under 20e9 bytes"),
        pytest.param({"ram": a_ram(18.7), "gpus": (UNHEARD_OF,)}, True, id="not in the table, just over"),
        pytest.param({"ram": a_ram(12.7), "gpus": SILENT}, False, id="small whatever the accelerator"),
        pytest.param({"ram": a_ram(83.5), "gpus": SILENT}, None, id="large, but the accelerator is not known"),
        pytest.param({"ram": a_ram(83.5), "gpus": None}, None, id="large, and nobody looked for one"),
        pytest.param({"ram": a_ram(83.5), "gpus": (NAMELESS,)}, None, id="large, nameless GPU"),
        pytest.param(
            {"ram": a_ram(83.5), "gpus": (), "tpus": (replace(V5E, accelerator_type="v5e-8"),)},
            None,
            id="large, a TPU that is not in the table",
        ),
        pytest.param({"ram": a_ram(51.0), "gpus": (), "platform": KAGGLE}, None, id="Kaggle has no such choice"),
        pytest.param({"ram": a_ram(51.0), "gpus": (), "platform": JUPYTER}, None, id="nor has a machine of one's own"),
        pytest.param({"ram": UNREADABLE}, None, id="unavailable"),
        pytest.param({"ram": None}, None, id="not asked"),
    ],
)
def test_the_high_ram_verdict_is_given_where_colab_offers_the_choice(
    changes: dict[str, Any], expected: bool | None
) -> None:
    assert accelerators.is_high_ram(a_snapshot(**changes)) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"ram": a_ram(83.5)}, True, id="large"),
        pytest.param({"ram": a_ram(12.7)}, False, id="small whatever the accelerator"),
        pytest.param({"ram": a_ram(83.5), "platform": KAGGLE}, False, id="no such choice"),
        pytest.param({"ram": UNREADABLE}, False, id="unavailable"),
    ],
)
def test_the_driver_is_asked_for_the_verdict_only_where_that_depends_on_it(
    changes: dict[str, Any], expected: bool
) -> None:
    snapshot = a_snapshot(gpus=None, **changes)

    assert accelerators.may_depend_on_accelerator(snapshot) is expected
    if not expected:
        verdicts = {accelerators.is_high_ram(replace(snapshot, gpus=gpus)) for gpus in (None, (), (T4,), (A100,))}
        assert len(verdicts) == 1


@pytest.mark.parametrize(
    ("key", "memory", "ram"),
    [
        pytest.param("A100", (40, 80), (83.5, 167.1), id="more RAM and another card"),
        pytest.param("T4", (15.0, 15.0), (12.7, 51.0), id="more RAM"),
        pytest.param("L4", (22.5, 22.5), (53.0, None), id="one shape"),
        pytest.param("H100", (80, 80), (None, None), id="not published"),
        pytest.param("NONE", (None, None), (12.7, 51.0), id="no card"),
    ],
)
def test_what_each_shape_has(key: str, memory: tuple[Any, Any], ram: tuple[Any, Any]) -> None:
    row = by_id(key)

    assert tuple(accelerators.memory_gib(row, high_ram=high_ram) for high_ram in (False, True)) == memory
    assert tuple(accelerators.ram_gib(row, high_ram=high_ram) for high_ram in (False, True)) == ram


# What it takes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "units", "day"),
    [
        pytest.param({}, 1.07, (9, 24), id="T4"),
        pytest.param({"ram": a_ram(51.0)}, 1.27, (9, 24), id="T4 high-RAM"),
        pytest.param({"gpus": ()}, 0.08, (9, 24), id="CPU"),
        pytest.param({"gpus": (A100,), "ram": a_ram(83.5)}, 5.30, (9, 30), id="A100"),
        pytest.param({"gpus": (A100,), "ram": a_ram(167.1)}, 6.77, (9, 30), id="A100 high-RAM"),
        pytest.param({"gpus": (A100,), "ram": None}, 5.30, (9, 30), id="A100 whose card is the standard shape's"),
        pytest.param({"gpus": (A100_80,), "ram": None}, 6.77, (9, 30), id="A100 whose card only the larger shape has"),
        pytest.param({"gpus": (L4,), "ram": a_ram(53.0)}, 1.54, (10, 1), id="L4"),
        pytest.param({"gpus": (G4,), "ram": a_ram(176.0)}, 8.90, (9, 27), id="G4: no other rate is published"),
    ],
)
def test_the_rate_is_that_of_the_shape_in_use_and_has_its_date(
    changes: dict[str, Any], units: float, day: tuple[int, int]
) -> None:
    assert accelerators.rate(a_snapshot(**changes)) == Rate(units, dt.date(2026, *day), "users")


@pytest.mark.parametrize("ram", [a_ram(167.1), None, UNREADABLE], ids=["seen", "not asked", "unavailable"])
def test_a_card_that_only_the_larger_shape_has_tells_the_shape(ram: Any) -> None:
    snapshot = a_snapshot(gpus=(A100_80,), ram=ram)

    assert accelerators.in_high_ram_shape(snapshot)
    assert [row.id for row in accelerators.larger_memory(snapshot)] == ["G4"]
    assert not accelerators.in_high_ram_shape(a_snapshot(gpus=(A100,), ram=None))


def test_of_a_fresh_disk_the_image_takes_its_share() -> None:
    least, most = accelerators.free_disk_gib(by_id("L4")) or (0.0, 0.0)

    assert 180 < least < most < 235.7
    assert accelerators.free_disk_gib(by_id("H100")) is None
    assert accelerators.image_gib("colab") > 30
    assert accelerators.image_gib("kaggle") == accelerators.image_gib(None) == 0.0


def test_the_cores_are_those_of_the_shape() -> None:
    shapes = (False, True)

    assert [accelerators.cores(by_id("T4"), high_ram=one) for one in shapes] == [2, 8]
    assert [accelerators.cores(by_id("A100"), high_ram=one) for one in shapes] == [12, 12]
    assert accelerators.cores(by_id("H100"), high_ram=False) is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"gpus": (H100,)}, id="H100: no rate is published"),
        pytest.param({"gpus": (UNHEARD_OF,)}, id="not in the table"),
        pytest.param({"platform": KAGGLE}, id="not on Colab"),
    ],
)
def test_where_no_rate_is_published_none_is_told(changes: dict[str, Any]) -> None:
    assert accelerators.rate(a_snapshot(**changes)) is None


# What is larger ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        pytest.param({}, ["L4", "A100", "H100", "G4"], id="T4"),
        pytest.param({"gpus": (A100,), "ram": a_ram(83.5)}, ["H100", "G4"], id="A100"),
        pytest.param({"gpus": (A100,), "ram": a_ram(167.1)}, ["G4"], id="A100 high-RAM has 80 GiB itself"),
        pytest.param({"gpus": (G4,)}, [], id="the largest"),
        pytest.param({**CPU_RUNTIME, "tpus": (V5E,)}, ["V6E1"], id="of TPUs the larger TPU"),
        pytest.param(CPU_RUNTIME, [], id="no memory of its own"),
        pytest.param({"gpus": (UNHEARD_OF,)}, [], id="not in the table"),
        pytest.param({"platform": KAGGLE}, [], id="not on Colab"),
    ],
)
def test_which_have_more_memory_of_their_own(changes: dict[str, Any], keys: list[str]) -> None:
    assert [row.id for row in accelerators.larger_memory(a_snapshot(**changes))] == keys


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        pytest.param({"ram": a_ram(51.0)}, ["L4", "A100", "G4"], id="T4 high-RAM"),
        pytest.param({"gpus": (A100,), "ram": a_ram(83.5)}, ["G4"], id="A100"),
        pytest.param({**CPU_RUNTIME, "tpus": (V5E,), "ram": a_ram(47.1)}, ["V6E1"], id="v5e-1"),
        pytest.param({**CPU_RUNTIME, "tpus": (V5E,), "ram": None}, ["V6E1"], id="RAM not seen: as published"),
        pytest.param({"gpus": (H100,), "ram": None}, [], id="neither seen nor published"),
        pytest.param({"gpus": (UNHEARD_OF,)}, [], id="not in the table"),
    ],
)
def test_which_have_more_ram_in_their_standard_shape(changes: dict[str, Any], keys: list[str]) -> None:
    assert [row.id for row in accelerators.larger_ram(a_snapshot(**changes))] == keys


# One answer, whoever asks -----------------------------------------------------------------------------------------

UNUSED = GpuMemory(total_bytes=80 * GIB, used_bytes=0, free_bytes=79 * GIB, reserved_bytes=None)


@pytest.mark.parametrize("gpu", [A100, A100_80], ids=["40 GB", "80 GB"])
def test_an_a100_high_ram_takes_as_much_in_the_finding_as_in_the_guide_to_stop_paying(gpu: Any) -> None:
    gpus = (replace(gpu, utilization_percent=0.0, memory=UNUSED),)
    report = a_report(Subject.GPU, gpus=gpus, ram=a_ram(167.1))
    found = next(finding for finding in report.findings if finding.rule == "costly_gpu_unused")
    guide = guides.for_goal(Goal.CHEAPER, report.snapshot, rules.blocking(report.findings))
    english = translator("en")

    assert "about 6.77 compute units per hour (seen by users, 2026-09-30)" in messages.sentence(found, english)
    assert messages.sentence(guide.remarks[0], english) == (
        "A100 GPU takes about 6.77 compute units per hour (seen by users, 2026-09-30)."
    )


def high_ram_is_clicked(guide: guides.Guide) -> bool:
    ways = [way for step in guide.steps for way in getattr(step, "ways", (step,))]
    return any(isinstance(way, MenuStep) and "high_ram" in way.path for way in ways)


@pytest.mark.parametrize(
    "gpu",
    [pytest.param(T4, id="listed"), pytest.param(UNHEARD_OF, id="not in the table"), pytest.param(H100, id="H100")],
)
def test_a_high_ram_runtime_is_that_for_the_rule_the_guide_and_the_requirement(gpu: Any) -> None:
    report = a_report(Subject.RAM, gpus=(gpu,), tpus=(), ram=a_ram(51.0))
    verdict = check(parse("ram>=60"), report.snapshot)
    (way,) = guides.for_verdict(verdict, report.snapshot)
    guide = guides.for_goal(Goal.MEMORY, report.snapshot, None)

    assert [finding.rule for finding in report.findings] == ["high_ram"]
    assert "high_ram" in {getattr(remark, "rule", None) for remark in guide.remarks}
    assert not high_ram_is_clicked(guide)
    assert "more RAM, where the accelerator has that choice" not in guide_html.page(guide, translator("en"))
    assert [clause.state for clause in verdict.clauses] == [State.UNMET]
    assert [(offer.name, offer.high_ram, offer.is_current) for offer in verdict.offers] == [
        ("A100 GPU", False, False),
        *([] if gpu is G4 else [("G4 GPU", False, False)]),
    ]
    assert not high_ram_is_clicked(way)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="listed"),
        pytest.param({"gpus": (UNHEARD_OF,)}, id="not in the table"),
        pytest.param({"gpus": (H100,)}, id="H100"),
        pytest.param(CPU_RUNTIME, id="CPU"),
    ],
)
def test_of_the_smaller_shape_the_rule_and_the_guide_say_so(changes: dict[str, Any]) -> None:
    report = a_report(Subject.RAM, tpus=(), ram=a_ram(12.7), **changes)
    guide = guides.for_goal(Goal.MEMORY, report.snapshot, None)

    assert [finding.rule for finding in report.findings] == ["not_high_ram"]
    assert high_ram_is_clicked(guide)


# What it is sold as having ----------------------------------------------------------------------------------------

MIB = 2**20


@pytest.mark.parametrize(
    ("name", "mib", "label"),
    [
        ("Tesla T4", 15095, 16),
        ("Tesla T4", 15360, 16),
        ("Tesla T4", None, 16),
        ("NVIDIA L4", 23034, 24),
        ("NVIDIA A100-SXM4-40GB", 40960, 40),
        ("NVIDIA A100-SXM4-80GB", 81920, 80),
        ("NVIDIA A100 80GB PCIe", 81920, 80),
        ("NVIDIA H100 80GB HBM3", 81559, 80),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887, 96),
        ("Tesla P100-PCIE-16GB", 16280, 16),
        ("NVIDIA GeForce GTX 1060 6GB", 6144, 6),
        pytest.param("NVIDIA GeForce RTX 4090", 24564, 24, id="its GiB, rounded up"),
        pytest.param("NVIDIA GeForce RTX 3090", 24576, 24, id="as many GiB"),
        pytest.param("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 4864, 5, id="a slice"),
        pytest.param("NVIDIA H100 80GB HBM3 MIG 1g.10gb+me", 9984, 10, id="a slice with media engines"),
        pytest.param("NVIDIA GB200 MIG 1g.24gb", 20480, 24, id="a slice named for more: gpu-operator#1303"),
        pytest.param("NVIDIA GH200 480GB", 97871, 96, id="named for the processor's memory"),
        pytest.param("Tesla T4", 4096, 4, id="a part of a card, under its whole name"),
        pytest.param(None, 15360, 15, id="nameless"),
        pytest.param("NVIDIA GB10", None, None, id="nothing tells"),
        pytest.param(None, None, None, id="nothing known"),
    ],
)
def test_what_a_card_is_sold_as_having(name: str | None, mib: int | None, label: int | None) -> None:
    assert accelerators.label_gb(name, None if mib is None else mib * MIB) == label


def test_every_gpu_of_the_dialog_has_a_label_for_each_of_its_cards() -> None:
    labels = {
        row.id: {accelerators.label_gb(name, None) for name in row.device_names}
        for row in accelerators.offered()
        if row.kind == "gpu"
    }

    assert labels == {"T4": {16}, "L4": {24}, "A100": {40, 80}, "H100": {80}, "G4": {96}}
