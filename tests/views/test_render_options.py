from __future__ import annotations

from types import SimpleNamespace

import pytest

from colab_magics import facts
from colab_magics.views import render_options
from colab_magics.views.render_options import DEFAULTS, RenderOptions


def test_nothing_asked_for_is_the_short_form_in_english() -> None:
    assert RenderOptions() == DEFAULTS
    assert RenderOptions(language="en", everything=False, processes=False, note=None) == DEFAULTS


def test_the_translator_is_that_of_the_language() -> None:
    assert RenderOptions(language="zh-CN").translate.language == "zh-CN"
    assert RenderOptions(language="de").translate.spoken == "en"


def test_the_languages_are_those_of_the_menus_english_first() -> None:
    assert render_options.languages() == tuple(menu.language for menu in facts.menus())
    assert render_options.languages()[0] == "en"


def test_the_language_is_the_setting_s_else_the_environment_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")

    assert render_options.language_for() == "zh-CN"
    assert render_options.language_for("fr") == "fr"


@pytest.mark.parametrize(
    ("encoding", "language"),
    [("ascii", "en"), ("latin-1", "en"), ("utf-8", "zh-CN"), ("gb18030", "zh-CN"), ("no such one", "en")],
)
def test_a_language_that_standard_output_cannot_write_is_not_the_environment_s(
    encoding: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setattr("sys.stdout", SimpleNamespace(encoding=encoding))

    assert render_options.language_for() == language
    assert render_options.language_for("zh-CN") == "zh-CN"


@pytest.mark.parametrize("stream", [None, SimpleNamespace()])
def test_where_no_encoding_is_known_every_language_is_spoken(stream: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setattr("sys.stdout", stream)

    assert render_options.language_for() == "zh-CN"


def test_a_language_of_which_no_menu_is_known_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "eo.UTF-8")

    assert render_options.language_for() == "en"
