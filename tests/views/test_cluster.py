from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

import documents
from builders import A_CLUSTER, GIB, NODES, OF_A_CLUSTER, a_ram, a_report, versions
from colab_magics.model import Subject, Unavailable
from colab_magics.model.cluster import Node, cluster_of
from colab_magics.report import Report
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.values import replace
from colab_magics.views import cluster, html, json, terminal, text
from colab_magics.views.render_options import RenderOptions
from runtimes import TRANSLATED

ENGLISH = translator("en")
ALL = RenderOptions(everything=True)


def many(count: int) -> tuple[Node, ...]:
    """Return machines that are alike, but for one with little RAM left."""
    alike = [replace(NODES[1], number=number) for number in range(1, count + 1)]
    full = a_report(ram=a_ram(12.7, headroom_bytes=GIB // 8))
    return tuple(replace(node, report=full) if node.number == count - 2 else node for node in alike)


def on(*nodes: Node) -> Report:
    return a_report(Subject.CLUSTER, **{**OF_A_CLUSTER, "cluster": cluster_of("ray", nodes, None)})


CASES = {"cluster": a_report(Subject.CLUSTER, **OF_A_CLUSTER), "many_machines": on(*many(40))}


def in_words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)))


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("case", CASES)
def test_the_text_is_as_it_was_reviewed(
    case: str, everything: bool, language: str, golden: Callable[[str, str], None]
) -> None:
    shown = text.render(CASES[case], RenderOptions(everything=everything, language=language))

    golden(f"{language}/{case}{'-all' if everything else ''}.txt", shown)


@pytest.mark.parametrize("case", CASES)
def test_the_page_the_terminal_and_the_json_are_as_they_were_reviewed(
    case: str, golden: Callable[[str, str], None]
) -> None:
    golden(f"{case}.html", html.render(CASES[case]))
    golden(f"{case}.ansi", terminal.render(CASES[case]))
    if case == "cluster":
        golden(f"{case}.json", json.render(CASES[case]))


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("options", [RenderOptions(), ALL], ids=["short", "all"])
@pytest.mark.parametrize("view", [text.render, terminal.render], ids=["text", "terminal"])
def test_all_is_within_eighty_columns(view: Callable[..., str], options: RenderOptions, language: str) -> None:
    nodes = (*NODES, *(replace(NODES[0], number=99_990 + number, workers=1024) for number in range(9)))
    shown = view(on(*nodes), replace(options, language=language))

    assert max(map(width, re.sub(r"\x1b\[[\d;]*m", "", shown).split("\n"))) <= 80


def test_what_is_wrong_comes_first_and_a_few_are_shown_unless_all_are_wanted() -> None:
    few, whole = text.render(CASES["many_machines"]), text.render(CASES["many_machines"], ALL)

    assert few.startswith("40 machines with 160 workers: 40 GPUs with 600.0 GiB, 80 cores, 508.0 GiB RAM,")
    assert "Something is wrong with 1 of 40." in few
    assert few.index("\n38 ") < few.index("\n 1 ")
    assert "Shown: 10 of 40." in few
    assert "\n40 " not in few
    assert "\n40 " in whole
    assert "Shown" not in whole


def test_what_differs_is_told_with_who_has_it() -> None:
    said = text.render(CASES["cluster"])

    assert "Python differs: 3.13.15 (1, 2, 6, this notebook), 3.12.3 (3)." in said
    assert "numpy differs: 2.1.3 (1, 2, 6, this notebook), 1.26.4 (3)." in said
    assert "Differs: Python 3.12.3, numpy 1.26.4, pandas not installed." in said


def test_the_page_says_what_the_text_says() -> None:
    page = in_words(html.render(CASES["cluster"]))

    for said in ("6 machines with 19 workers", "Not looked at: 2 of 6", "colab_magics is not installed there",
                 "This machine did not answer within 15 s", "Python differs"):  # fmt: skip
        assert said in page


def test_what_the_cluster_calls_a_machine_is_nowhere() -> None:
    for shown in (text.render(CASES["cluster"], ALL), html.render(CASES["cluster"], ALL),
                  terminal.render(CASES["cluster"], ALL), json.render(CASES["cluster"], ALL)):  # fmt: skip
        assert "10.0.0." not in shown


def test_json_has_each_machine_s_own_document() -> None:
    document = documents.read(json.render(CASES["cluster"]))

    nodes: Any = document["cluster"]["nodes"]
    assert [node["number"] for node in nodes] == [1, 2, 3, 4, 5, 6]
    assert nodes[0]["report"]["gpus"][0]["name"] == "NVIDIA A100-SXM4-40GB"
    assert nodes[4]["report"] is None
    assert nodes[4]["unknown"]["code"] == "node_lacks_package"
    assert "register_plugin" in nodes[4]["unknown"]["remedy"]
    assert document["cluster"]["totals"]["gpus"] == A_CLUSTER.totals.gpus


def test_of_machines_of_which_nothing_is_known_nothing_is_said() -> None:
    said = text.render(on(NODES[3], NODES[4]))

    assert said.startswith("2 machines with 3 workers: nothing is known.")
    assert "GiB" not in said


def test_what_to_do_and_what_differs_is_never_cut() -> None:
    odd = versions(**{f"package{number}": "1" for number in range(8)})
    rest = versions(**{f"package{number}": "2" for number in range(8)})
    other = Unavailable(code="node_other_version", values=(("version", "0.9"), ("own", "0.1")))
    nodes = [
        replace(NODES[0], report=a_report(packages=odd)),
        *(replace(NODES[1], number=number, report=a_report(packages=rest)) for number in range(2, 40)),
        NODES[4],
        replace(NODES[4], report=other),
    ]

    few, whole = text.render(on(*nodes)), text.render(on(*nodes), ALL)

    for said in (few, whole):
        assert 'client.register_plugin(PipInstall(["colab_magics"]))' in said
        assert "install the same version of colab_magics on every machine" in said
    assert "package0 differs: 2 (2 to 39), 1 (1)." in few
    assert "package7 differs: 2 (2 to 39), 1 (1)." in whole
    assert "and more" in few
    assert "and more" not in whole


def test_machines_are_counted_where_their_numbers_would_be_a_long_list() -> None:
    reports = [a_report(packages=versions(numpy=str(number % 2))) for number in range(300)]
    said = text.render(on(*(replace(NODES[0], number=number, report=one) for number, one in enumerate(reports))))

    assert "numpy differs: 0 (150 machines), 1 (150 machines)." in said


def test_a_row_has_the_sums_of_its_machine() -> None:
    row = next(row for row in cluster.rows(CASES["cluster"].snapshot, ENGLISH, everything=True) if row.number == "1")

    assert row.devices == "8 x NVIDIA A100-SXM4-40GB"
    assert row.gpu_memory.endswith(" / 320.0")
    assert row.workers == "4"
    assert row.notes[-1].startswith("Python 3.13.15, NVIDIA driver ")
