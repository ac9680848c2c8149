from __future__ import annotations

import re
from html import unescape

import pytest

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.guides import ChoiceStep, ClickStep, CommandStep, Dialog, Guide, MenuAlone, MenuStep, Sentence
from colab_magics.translation import translator
from colab_magics.values import replace
from colab_magics.views import dialog_schematic
from runtimes import LANGUAGES

CHANGE = MenuStep(("runtime_menu", "change_runtime_type"))
SAVE = MenuStep(("save",))
STEPS = (CHANGE, ClickStep(("T4 GPU",), "T4"), SAVE)
DIALOG = Dialog(chosen=accelerators.by_id("T4"), present=accelerators.by_id("NONE"), high_ram=False)


def drawn(language: str = "en", *, high_ram: bool | None = False) -> str:
    guide = Guide(Sentence("x"), steps=STEPS, drawing=replace(DIALOG, high_ram=high_ram))
    return dialog_schematic.draw(guide, translator(language))


def marks(picture: str) -> dict[str, str]:
    """Return what is marked, by number."""
    rows = re.findall(r'<b class="cm-guide-badge">(\w+)</b> <span class="cm-guide-word">(.*?)</div>', picture)
    return {number: " ".join(words(row)) for number, row in rows}


def words(picture: str) -> list[str]:
    """Return the lines as they are read without a style sheet."""
    lines = (re.sub(r"<[^>]+>", "", line).strip() for line in re.split(r"</div>|</p>", picture))
    return [unescape(line) for line in lines if line]


def label(picture: str) -> str:
    found = re.search(r'^<div class="cm-guide-picture" role="img" aria-label="([^"]*)">', picture)
    assert found is not None
    return unescape(found[1])


def test_a_picture_is_called_a_schematic_first_of_all() -> None:
    assert words(drawn())[0] == "Schematic, not a screenshot."
    assert label(drawn()).startswith("Schematic, not a screenshot.")


def test_the_choices_are_those_of_the_dialog_in_its_order() -> None:
    radios = [line for line in words(drawn()) if "○" in line or "◉" in line]

    assert [re.sub(r"^2 |[○◉] | now$", "", radio) for radio in radios] == [
        one.menu_name for one in accelerators.offered()
    ]
    assert [radio for radio in radios if "◉" in radio] == ["2 ◉ T4 GPU"]
    assert [radio for radio in radios if "now" in radio] == ["○ CPU now"]


def test_the_name_says_what_the_picture_shows() -> None:
    said = label(drawn(high_ram=None))

    assert "The menu Runtime is open." in said
    assert "In use now: CPU." in said
    assert "The switch High-RAM cannot be clicked." in said
    assert said.endswith("1 marks Change runtime type. 2 marks T4 GPU. 3 marks Save.")
    for one in accelerators.offered():
        assert one.menu_name in said


@pytest.mark.parametrize(
    ("high_ram", "line"), [(True, "High-RAM on"), (False, "High-RAM off"), (None, "High-RAM no choice")]
)
def test_the_switch_is_on_or_off_or_no_switch(high_ram: bool | None, line: str) -> None:
    picture = drawn(high_ram=high_ram)

    assert line in words(picture)
    assert ("cm-guide-switch" in picture) == (high_ram is not None)
    assert ("cm-guide-on" in picture) == (high_ram is True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_to_be_clicked_stands_in_both_languages(language: str) -> None:
    lines, menu = words(drawn(language)), facts.menu(language)
    assert menu is not None

    local = menu.change_runtime_type
    assert ("1 Change runtime type" if language == "en" else f"1 {local} Change runtime type") in lines
    names = "/".join(menu.runtime_menu)
    assert (names if names == "Runtime" else f"{names} Runtime") in lines  # as in the steps beside it
    assert ("3 Save" if menu.save in (None, "Save") else f"3 {menu.save} Save") in lines


def test_the_menu_is_drawn_in_one_language() -> None:
    assert "Restart session" in drawn("en")
    assert "Restart session" not in drawn("de")  # whose word for it is not known
    assert "Verbindung trennen und Laufzeit löschen" in words(drawn("de"))


def test_a_menu_alone_has_no_dialog() -> None:
    steps = (CommandStep("ls"), CommandStep("ls"), MenuStep(("runtime_menu", "disconnect_and_delete")))
    picture = dialog_schematic.draw(Guide(Sentence("x"), steps=steps, drawing=MenuAlone()), translator("en"))

    assert "3 Disconnect and delete runtime" in words(picture)
    assert "cm-guide-dialog" not in picture
    assert "In the dialog" not in label(picture)


def test_two_ways_at_one_step_have_its_number_and_a_letter_and_neither_is_chosen() -> None:
    ways = ChoiceStep(Sentence("One of the two:"), (MenuStep(("high_ram",)), ClickStep(("L4 GPU",), "L4")))
    dialog = Dialog(chosen=accelerators.by_id("T4"), present=accelerators.by_id("T4"), high_ram=True)
    guide = Guide(Sentence("x"), steps=(CHANGE, ways, SAVE), drawing=dialog)

    assert marks(dialog_schematic.draw(guide, translator("en"))) == {
        "1": "Change runtime type",
        "2a": "High-RAM on",
        "2b": "○ L4 GPU",
        "3": "Save",
    }


def test_where_the_choice_is_left_open_nothing_is_drawn_as_chosen_or_in_use() -> None:
    guide = Guide(Sentence("x"), steps=STEPS, drawing=Dialog(chosen=None, present=None, high_ram=False))
    picture = dialog_schematic.draw(guide, translator("en"))

    assert "◉" not in picture
    assert "cm-guide-now" not in picture
    assert "In use now" not in label(picture)


def test_a_guide_without_a_drawing_has_none() -> None:
    assert dialog_schematic.draw(Guide(Sentence("x"), steps=STEPS), translator("en")) == ""
