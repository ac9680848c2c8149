from __future__ import annotations

import re
from pathlib import Path

import pytest

import colab_magics
from colab_magics.views import style_sheets

PACKAGE = Path(colab_magics.__file__).parent
SHEETS = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.css"))


def tokens(sheet: str) -> list[str]:
    """Take a sheet apart as CSS does, spaces that part nothing left out."""
    kept = "".join(part.partition("*/")[2] if number else part for number, part in enumerate(sheet.split("/*")))
    for mark in "{};:,":
        kept = kept.replace(mark, f" {mark} ")
    return [token for token in kept.replace("; }", "}").split() if token != ";"]


@pytest.mark.parametrize("name", SHEETS)
def test_a_shortened_sheet_says_the_same(name: str) -> None:
    sheet = (PACKAGE / name).read_text(encoding="utf-8")
    short = style_sheets.together(name)

    assert tokens(short) == tokens(sheet)
    assert len(short) < len(sheet)
    assert "/*" not in short


def test_what_stands_in_quotation_marks_stays() -> None:
    for name in SHEETS:
        quoted = re.findall(r'"[^"]*"', (PACKAGE / name).read_text(encoding="utf-8"))

        assert re.findall(r'"[^"]*"', style_sheets.together(name)) == quoted


def test_sheets_follow_each_other_in_the_order_asked_for() -> None:
    assert style_sheets.together(*SHEETS) == "".join(style_sheets.together(name) for name in SHEETS)
