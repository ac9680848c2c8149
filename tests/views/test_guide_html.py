from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from builders import (
    A100,
    COLAB,
    CPU_RUNTIME,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    RAM,
    T4,
    V5E,
    a_ram,
    a_report,
)
from colab_magics import facts
from colab_magics.model import Service
from colab_magics.views import guides, wishes
from colab_magics.translation import translator
from colab_magics.views.wishes import Wish, hosted, pages, published
from markup import Markup

LANGUAGES = ("en", "zh-CN", "de", "ja")
SERVICES = tuple(Service)
TPU_RUNTIME = {"gpus": (), "driver": None, "tpus": (V5E,), "ram": a_ram(47.1)}
LARGEST_TPU = {**TPU_RUNTIME, "tpus": (replace(V5E, kind="v6e", accelerator_type="v6e-1"),), "ram": a_ram(173.0)}
L4 = {"gpus": (replace(T4, name="NVIDIA L4"),), "ram": a_ram(53.0)}
A100_HIGH_RAM = {"gpus": (A100,), "ram": a_ram(167.1)}
CASES: dict[str, dict[str, Any]] = {
    "t4": {},
    "cpu": CPU_RUNTIME,
    "hung driver": HUNG_DRIVER,
    "nothing": NOTHING_AVAILABLE,
    "mute": {"gpus": (MUTE_GPU,)},
    "unknown gpu": {"gpus": (replace(T4, name="NVIDIA Z1"),)},
    "l4": L4,
    "a100": {"gpus": (A100,), "ram": a_ram(83.5)},
    "a100 high-ram": A100_HIGH_RAM,
    "tpu": TPU_RUNTIME,
    "largest tpu": LARGEST_TPU,
}
NEW_MACHINE = "This gives you a new machine: variables and files in /content are lost."


def shown(wish: Wish, language: str = "en", **changes: Any) -> str:
    return wishes.render(wish, a_report(**changes), language=language)


def at(service: Service, changes: dict[str, Any]) -> dict[str, Any]:
    return {**changes, "platform": replace(changes.get("platform", COLAB), service=service)}


def words(page: str) -> str:
    """Return what is read without any style sheet."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def steps(page: str) -> list[str]:
    """Return the first list of steps, those within a step too, as they are read."""
    found = re.search(
        r'<ol class="cm-guide-steps">(.*?)</ol>(?=<div class="cm-guide-picture"|</div>|<p)', page, re.DOTALL
    )
    assert found is not None
    return [words(item).strip() for item in re.split(r"<li>", found[1])[1:]]


def marks(page: str) -> dict[str, str]:
    """Return what the schematic marks, by number."""
    rows = re.findall(r'<b class="cm-guide-badge">(\w+)</b> <span class="cm-guide-word">(.*?)</div>', page)
    return {number: words(row).strip() for number, row in rows}


def rows(page: str) -> list[list[str]]:
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return [
        [words(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", body)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("wish", Wish)
def test_every_page_is_whole_and_brings_nothing_from_outside(wish: Wish, service: Service, language: str) -> None:
    for changes in CASES.values():
        page = Markup(shown(wish, language, **at(service, changes)))

        assert not page.names & {"script", "style", "img", "link", "iframe", "object", "svg"}
        assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "style")]
        addresses = [link["href"] or "" for link in page.all("a")]
        assert all(address.startswith(("https://", "mailto:")) for address in addresses)
        assert page.tags[0] == ("div", {"class": "cm-guide", "lang": translator(language).spoken})


@pytest.mark.parametrize("service", [Service.COLAB, Service.KAGGLE, Service.JUPYTER])
@pytest.mark.parametrize("wish", Wish)
def test_a_device_s_name_is_never_html(wish: Wish, service: Service) -> None:
    gpu = shown(wish, **at(service, {"gpus": (replace(T4, name="<b>x</b>"),)}))
    tpu = shown(wish, **at(service, {**TPU_RUNTIME, "tpus": (replace(V5E, accelerator_type="<b>x</b>"),)}))

    assert "<b>x" not in gpu + tpu
    if wish is Wish.GPU:
        assert "&lt;b&gt;x&lt;/b&gt;" in gpu
    if wish is Wish.TPU and service is Service.COLAB:
        assert "&lt;b&gt;x&lt;/b&gt;" in tpu


def test_the_wishes_have_their_order_and_their_labels() -> None:
    said = [wishes.label(wish, translator("en")) for wish in Wish]

    assert said == ["a GPU", "a TPU", "more memory", "longer runs", "to stop paying", "I hit a limit"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wish", [Wish.GPU, Wish.TPU, Wish.MEMORY])
def test_the_steps_quote_the_menu_in_the_reader_s_language_and_in_english(wish: Wish, language: str) -> None:
    page, say = shown(wish, language, **CPU_RUNTIME), translator(language)

    first, *_, last = steps(page)
    menu = facts.menu(language)
    assert menu is not None
    assert first == guides.step(("runtime_menu", "change_runtime_type"), say)
    assert menu.change_runtime_type in first
    assert "Runtime > Change runtime type" in first
    assert last == "Save"


@pytest.mark.parametrize(
    ("wish", "case", "marked"),
    [
        (Wish.GPU, "cpu", {"2": "◉ T4 GPU"}),
        (Wish.GPU, "hung driver", {"2": "◉ T4 GPU"}),
        (Wish.GPU, "t4", {"2": "◉ L4 GPU"}),
        (Wish.GPU, "a100", {"2": "◉ T4 GPU"}),
        (Wish.TPU, "cpu", {"2": "◉ v5e-1 TPU"}),
        (Wish.TPU, "tpu", {"2": "◉ v6e-1 TPU"}),
        (Wish.MEMORY, "cpu", {"2": "High-RAM on"}),
        (Wish.MEMORY, "t4", {"2a": "High-RAM on", "2b": "○ L4 GPU"}),
        (Wish.MEMORY, "l4", {"2": "◉ A100 GPU"}),
        (Wish.MEMORY, "a100", {"2a": "High-RAM on", "2b": "○ H100 GPU"}),
        (Wish.MEMORY, "a100 high-ram", {"2": "◉ G4 GPU"}),
        (Wish.MEMORY, "tpu", {"2": "◉ v6e-1 TPU"}),
        (Wish.MEMORY, "hung driver", {"2a": "High-RAM on", "2b": "Hardware accelerator"}),
    ],
)
def test_the_picture_marks_what_the_steps_say(wish: Wish, case: str, marked: dict[str, str]) -> None:
    page = shown(wish, **CASES[case])

    assert marks(page) == {"1": "Change runtime type", **marked, "3": "Save"}
    said = " ".join(steps(page))
    for row in marked.values():
        assert re.sub(r"^[○◉] | on$", "", row) in said
    label = re.search(r'role="img" aria-label="([^"]*)"', page)
    assert label is not None
    for number in marks(page):
        assert f" {number} marks " in label[1]


@pytest.mark.parametrize("case", ["l4", "tpu"])
def test_what_has_one_shape_has_no_high_ram_switch_to_click(case: str) -> None:
    page = shown(Wish.MEMORY, **CASES[case])

    assert "there is no high-RAM choice" in page
    assert "cm-guide-switch" not in shown(Wish.TPU, **CASES["cpu"])
    assert "High-RAM" not in " ".join(marks(page).values())


def test_the_largest_of_a_kind_has_no_steps() -> None:
    page = shown(Wish.MEMORY, **LARGEST_TPU)

    assert "Nothing that Colab offers is known to have more." in page
    assert "cm-guide-steps" not in page
    assert "cm-guide-picture" not in page
    assert NEW_MACHINE not in page


def test_the_accelerator_in_use_is_shown_as_the_present_one() -> None:
    page = shown(Wish.GPU, **CPU_RUNTIME)

    assert page.count('class="cm-guide-now"') == 1
    assert "○ CPU now" in words(page)
    assert "In use now: CPU." in page
    assert 'class="cm-guide-now"' not in shown(Wish.GPU, **HUNG_DRIVER)


def test_the_table_says_what_the_facts_say() -> None:
    expected = []
    for one in facts.accelerators():
        with_high_ram = (
            (one.memory_gib, one.high_ram_memory_gib, "g"),
            (one.standard_ram_gib, one.high_ram_gib, ".1f"),
            (one.units_per_hour, one.high_ram_units_per_hour, ".2f"),
        )
        memory, ram, units = (
            " ".join(
                [
                    "not published" if figure is None else format(figure, form),
                    *([] if high is None else [f"{format(high, form)} High-RAM"]),
                ]
            )
            for figure, high, form in with_high_ram
        )
        expected.append(
            [
                f"{one.menu_name} {'free, paid' if one.tier == 'free' else 'paid'}",
                "-" if one.kind == "none" else memory,
                f"{ram} one size" if one.one_shape else ram,
                {True: "yes", False: "no", None: "-"}[one.supports_bf16],
                units,
            ]
        )

    assert rows(shown(Wish.MEMORY, **HUNG_DRIVER)) == expected
    assert rows(shown(Wish.GPU, **HUNG_DRIVER)) == [
        row for row, one in zip(expected, facts.accelerators(), strict=True) if one.kind == "gpu"
    ]


def test_the_table_has_its_dates_and_sources() -> None:
    page = words(shown(Wish.MEMORY))

    assert "As read on 2026-11-22. Compute units as seen on 2026-03-10. Prices and availability change." in page
    for one in facts.accelerators():
        assert one.source in page
    assert "Compute units as seen" not in shown(Wish.TPU)


@pytest.mark.parametrize(("wish", "changes"), [(Wish.GPU, True), (Wish.TPU, True), (Wish.MEMORY, True),
                                               (Wish.CHEAPER, True), (Wish.LONGER, False)])  # fmt: skip
def test_a_new_machine_is_told_where_there_will_be_one(wish: Wish, changes: bool) -> None:
    page = shown(wish)

    assert (NEW_MACHINE in page) == changes
    assert ("Then run again from your first cell" in page) == changes
    assert NEW_MACHINE not in shown(wish, platform=JUPYTER)


def test_two_kinds_of_memory_are_told_apart() -> None:
    page = words(shown(Wish.MEMORY))

    assert "RAM When it runs out, the kernel ends" in page
    assert "GPU memory When it runs out, the cell fails" in page
    assert "GPU memory" not in words(shown(Wish.MEMORY, **CPU_RUNTIME)).split("What each choice gives")[0]
    assert "High-RAM more RAM, a card with 80 GiB (paid)" in words(shown(Wish.MEMORY, **CASES["a100"]))


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("a100", "A100 GPU takes about 5.40 compute units per hour (seen on 2026-03-10)."),
        ("a100 high-ram", "A100 GPU takes about 7.52 compute units per hour (seen on 2026-03-10)."),
        ("tpu", "What v5e-1 TPU takes per hour is not published."),
    ],
)
def test_what_the_accelerator_takes_is_said_with_its_date(case: str, said: str) -> None:
    assert said in words(shown(Wish.CHEAPER, **CASES[case]))


def test_to_stop_paying_the_menu_alone_is_drawn() -> None:
    page = shown(Wish.CHEAPER)

    assert marks(page) == {"2": "Manage sessions", "3": "Disconnect and delete runtime"}
    assert "cm-guide-dialog" not in page
    assert [step.split(" end ")[0] for step in steps(page)][1:] == [
        "Runtime > Manage sessions",
        "Runtime > Disconnect and delete runtime gives this machine back",
    ]
    assert "CPU / T4 GPU / v5e-1 TPU" in page


@pytest.mark.parametrize("service", [Service.COLAB, Service.KAGGLE, Service.COLAB_ENTERPRISE])
def test_lifetimes_are_those_that_were_published_each_with_its_date(service: Service) -> None:
    page = words(shown(Wish.LONGER, **at(service, {})))

    published_here = [limit for limit in facts.limits() if limit.service == service]
    assert published_here
    for limit in published_here:
        unit = {"hours": "h", "minutes": "min"}[limit.unit]
        figure = f"{'about ' if limit.about else ''}{limit.value:g} {unit}"
        assert f"{figure} {limit.applies} (read {limit.date})" in page


def test_what_is_translated_of_the_facts_is_what_they_say() -> None:
    assert {limit.key: limit.applies for limit in facts.limits()} == published.APPLIES
    elsewhere = {other.place: other.purpose for other in facts.other_menus()}
    assert {place: elsewhere[place] for place in hosted.PURPOSES} == hosted.PURPOSES
    assert hosted.PURPOSES.keys() == elsewhere.keys() - {"kaggle"}


@pytest.mark.parametrize("wish", [Wish.GPU, Wish.TPU, Wish.MEMORY])
def test_the_ways_outside_colab_s_web_page_are_folded_away(wish: Wish) -> None:
    page = shown(wish)

    assert "<details><summary>Not on Colab&#x27;s web page?</summary>" in page
    for place in ("VS Code", "Colab CLI", "Colab, the older dialog"):
        assert f"{place}:" in words(page)


def test_on_kaggle_the_steps_are_kaggle_s() -> None:
    page = shown(Wish.GPU, **{**CPU_RUNTIME, "platform": KAGGLE})

    assert steps(page) == ["Settings > Accelerator", "GPU T4 x2 / GPU P100", "confirm in the dialog"]
    assert "phone number" in page
    assert "about 30 h" in words(page)
    assert steps(shown(Wish.TPU, platform=KAGGLE))[1] == "TPU v5e-8"
    assert "phone number" not in shown(Wish.LIMIT, platform=KAGGLE)


@pytest.mark.parametrize("service", [service for service in Service if service is not Service.COLAB])
@pytest.mark.parametrize("wish", Wish)
def test_colab_s_dialog_is_shown_on_hosted_colab_alone(wish: Wish, service: Service) -> None:
    page = shown(wish, **at(service, CPU_RUNTIME))

    assert "Change runtime type" not in page
    assert "cm-guide-picture" not in page


def test_elsewhere_what_hides_the_gpu_comes_before_another_machine() -> None:
    hidden = shown(Wish.GPU, platform=JUPYTER, gpus=(replace(T4, is_hidden=True, cuda_index=None),))
    silent = shown(Wish.GPU, platform=JUPYTER, **HUNG_DRIVER)

    assert "CUDA_VISIBLE_DEVICES hides every GPU from CUDA." in hidden
    assert steps(hidden) == ["take CUDA_VISIBLE_DEVICES out of the environment", "restart the kernel"]
    assert "The NVIDIA driver did not answer within 3 s." in silent
    assert "nvidia-smi lists it" in shown(Wish.GPU, platform=JUPYTER, **CPU_RUNTIME)


def test_elsewhere_it_is_said_what_limits_the_ram() -> None:
    contained = replace(RAM, limited_by="cgroup_v2", limit_bytes=4 * 2**30, limit_level=0)

    assert "The machine has 12.7 GiB RAM" in shown(Wish.MEMORY, platform=JUPYTER)
    for wish in (Wish.MEMORY, Wish.LIMIT):
        assert "This container may use 4.0 GiB RAM" in shown(wish, platform=JUPYTER, ram=contained)


@pytest.mark.parametrize("wish", Wish)
def test_every_link_is_one_of_the_facts(wish: Wish) -> None:
    known = {one.url for one in facts.links()}

    assert set(re.findall(r'href="([^"]*)"', shown(wish))) <= known
    assert 'target="_blank" rel="noopener"' in shown(wish)


def test_the_style_sheet_styles_pages_alone_and_every_name_that_it_styles_is_used() -> None:
    with open(pages.__file__.replace("pages.py", "wishes.css"), encoding="utf-8") as file:
        sheet = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    selectors = [one.strip() for block in re.findall(r"([^{}]+)\{", sheet) for one in block.split(",")]
    used = "".join(shown(wish, "de", **changes) for wish in Wish for changes in CASES.values())

    assert all(selector.startswith(".cm-guide") for selector in selectors)
    assert {name for name in re.findall(r"\.(cm-guide[\w-]*)", sheet) if not re.search(rf"\b{name}\b", used)} == set()


GOLDEN = {
    "wish-gpu-cpu": (Wish.GPU, CPU_RUNTIME),
    "wish-memory-t4": (Wish.MEMORY, {}),
    "wish-cheaper-a100": (Wish.CHEAPER, CASES["a100"]),
    "wish-gpu-kaggle": (Wish.GPU, {**CPU_RUNTIME, "platform": KAGGLE}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_pages_are_as_they_were_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    wish, changes = GOLDEN[name]

    golden(f"{name}.html", re.sub(r"(</(?:li|tr|p|div|ol|ul|table|caption)>)", r"\1\n", shown(wish, "de", **changes)))
