"""What is made from the code is what the code makes now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

import documentation
from colab_magics.model import Subject
from colab_magics.views import json as view

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("file", [documentation.SCHEMA, documentation.PAGE], ids=str)
def test_what_is_committed_is_what_nox_docs_writes(file: Path) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == documentation.written(ROOT)[file], "nox -s docs"


def test_the_file_that_is_committed_is_the_one_that_is_shipped() -> None:
    assert json.loads((ROOT / documentation.SCHEMA).read_text(encoding="utf-8")) == json.loads(view.schema())


def test_every_field_is_explained() -> None:
    schema = documentation.schema()

    for kind in (schema, *schema["$defs"].values()):
        assert kind["description"]
        assert all(field["description"] for field in kind["properties"].values())


def test_the_schema_says_which_sections_each_report_has() -> None:
    assert set(documentation.ALWAYS_LOOKED_AT) == {subject.value for subject in Subject}
    for sections in documentation.ALWAYS_LOOKED_AT.values():
        assert documentation.schema()["properties"].keys() >= set(sections)


def test_the_page_names_the_form_it_explains() -> None:
    page = (ROOT / documentation.PAGE).read_text(encoding="utf-8")

    assert f"`schema` is the number of the form, {get_args(view.Schema)[0]}." in page
