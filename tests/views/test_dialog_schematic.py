from __future__ import annotations

import re
from html import unescape

import pytest

from colab_magics import facts
from colab_magics.facts import Accelerator, accelerators
from colab_magics.translation import translator
from colab_magics.views.wishes import schematic

MARKS = {"change_runtime_type": "1", "T4": "2", "save": "3"}


def accelerator(name: str) -> Accelerator:
    return next(one for one in accelerators() if one.id == name)


def drawn(language: str = "en", *, high_ram: bool | None = False) -> str:
    chosen, present = accelerator("T4"), accelerator("NONE")
    return schematic.dialog(MARKS, translator(language), chosen=chosen, present=present, high_ram=high_ram)


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

    assert [re.sub(r"^2 |[○◉] | now$", "", radio) for radio in radios] == [one.menu_name for one in accelerators()]
    assert [radio for radio in radios if "◉" in radio] == ["2 ◉ T4 GPU"]
    assert [radio for radio in radios if "now" in radio] == ["○ CPU now"]


def test_the_name_says_what_the_picture_shows() -> None:
    said = label(drawn(high_ram=None))

    assert "The menu Runtime is open." in said
    assert "In use now: CPU." in said
    assert "The switch High-RAM cannot be clicked." in said
    assert said.endswith("1 marks Change runtime type. 2 marks T4 GPU. 3 marks Save.")
    for one in accelerators():
        assert one.menu_name in said


@pytest.mark.parametrize(
    ("high_ram", "line"), [(True, "High-RAM on"), (False, "High-RAM off"), (None, "High-RAM no choice")]
)
def test_the_switch_is_on_or_off_or_no_switch(high_ram: bool | None, line: str) -> None:
    picture = drawn(high_ram=high_ram)

    assert line in words(picture)
    assert ("cm-guide-switch" in picture) == (high_ram is not None)
    assert ("cm-guide-on" in picture) == (high_ram is True)


@pytest.mark.parametrize("language", [menu.language for menu in facts.menus()])
def test_what_is_to_be_clicked_stands_in_both_languages(language: str) -> None:
    lines, menu = words(drawn(language)), facts.menu(language)
    assert menu is not None

    local = menu.change_runtime_type
    assert ("1 Change runtime type" if language == "en" else f"1 {local} Change runtime type") in lines
    assert "/" not in next(line for line in lines if menu.runtime_menu[0] in line)
    assert ("3 Save" if menu.save in (None, "Save") else f"3 {menu.save} Save") in lines


def test_the_menu_is_drawn_in_one_language() -> None:
    assert "Restart session" in drawn("en")
    assert "Restart session" not in drawn("de")  # whose word for it is not known
    assert "Verbindung trennen und Laufzeit löschen" in words(drawn("de"))


def test_a_menu_alone_has_no_dialog() -> None:
    picture = schematic.menu({"disconnect_and_delete": "3"}, translator("en"))

    assert "3 Disconnect and delete runtime" in words(picture)
    assert "cm-guide-dialog" not in picture
    assert "In the dialog" not in label(picture)
