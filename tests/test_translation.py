from __future__ import annotations

import pytest

from colab_magics.facts import menus
from colab_magics.translation import ENGLISH, N_, NP_, preferred_language, translator

KNOWN = ("en", "zh-CN", "zh-TW", "ja", "pt-BR")


def known() -> tuple[str, ...]:
    return KNOWN


def nothing_else() -> tuple[str, ...]:
    raise AssertionError("which other languages there are was asked")


@pytest.mark.parametrize("named", ["", "C.UTF-8", "POSIX", "en_GB.UTF-8", "en_US.UTF-8:de"])
def test_of_english_no_table_is_needed(named: str) -> None:
    assert preferred_language("auto", nothing_else, {"LANGUAGE": named, "LANG": "C.UTF-8"}) == ENGLISH


@pytest.mark.parametrize("setting", ["en", "zh-CN", "ja"])
def test_the_setting_wins(setting: str) -> None:
    environment = dict.fromkeys(("COLAB_MAGICS_LANGUAGE", "LANGUAGE", "LC_ALL", "LANG"), "pt_BR")

    assert preferred_language(setting, known, environment) == setting


def test_the_variables_count_in_their_order() -> None:
    environment = {
        "LANG": "pt_BR.UTF-8",
        "LC_ALL": "ja_JP.UTF-8",
        "LANGUAGE": "zh_TW",
        "COLAB_MAGICS_LANGUAGE": "zh-CN",
    }
    expected = ["zh-CN", "zh-TW", "ja", "pt-BR", "en"]

    for variable, language in zip(("COLAB_MAGICS_LANGUAGE", "LANGUAGE", "LC_ALL", "LANG"), expected, strict=False):
        assert preferred_language("auto", known, environment) == language
        del environment[variable]
    assert preferred_language("auto", known, environment) == "en"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        pytest.param({"LC_ALL": "C", "LANGUAGE": "ja", "LANG": "ja_JP"}, "en", id="C has no language"),
        pytest.param({"LANG": "POSIX", "LANGUAGE": "ja"}, "en", id="nor has POSIX"),
        pytest.param({"LANG": "C.UTF-8", "LANGUAGE": "ja"}, "ja", id="C.UTF-8 is another locale"),
        pytest.param({"LANGUAGE": "ja"}, "ja", id="no locale is set"),
        pytest.param({"LC_ALL": "", "LC_MESSAGES": "ja_JP.UTF-8", "LANG": "zh_CN"}, "ja", id="messages come first"),
        pytest.param({"LC_ALL": "tlh", "LC_MESSAGES": "ja", "LANG": "zh_CN"}, "en", id="the first that is set counts"),
        pytest.param({"LC_ALL": "C", "COLAB_MAGICS_LANGUAGE": "ja"}, "ja", id="ours counts in every locale"),
    ],
)
def test_the_locale_is_found_as_posix_and_gettext_do(environment: dict[str, str], language: str) -> None:
    assert preferred_language("auto", known, environment) == language


def test_the_process_s_own_environment_is_what_counts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLAB_MAGICS_LANGUAGE", "ja")

    assert preferred_language("auto", known) == "ja"


@pytest.mark.parametrize(
    ("named", "language"),
    [
        ("zh_CN.UTF-8", "zh-CN"),
        ("zh_CN", "zh-CN"),
        ("zh-cn", "zh-CN"),
        ("ZH_cn.gb18030@pinyin", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh_SG.UTF-8", "zh-CN"),
        ("zh_TW.UTF-8", "zh-TW"),
        ("ja", "ja"),
        ("pt", "pt-BR"),
        ("pt_PT@euro", "pt-BR"),
        ("en_GB.UTF-8", "en"),
        ("C", "en"),
        ("C.UTF-8", "en"),
        ("POSIX", "en"),
        ("", "en"),
    ],
)
def test_a_language_is_named_as_posix_does(named: str, language: str) -> None:
    assert preferred_language("auto", known, {"LANG": named}) == language


def test_another_country_s_words_serve_where_there_are_no_nearer_ones() -> None:
    assert preferred_language("auto", lambda: ("en", "zh-CN"), {"LANG": "zh_TW.UTF-8"}) == "zh-CN"


@pytest.mark.parametrize(
    ("named", "language"), [("xx:ja:zh_CN", "ja"), ("xx_YY.UTF-8::zh_TW", "zh-TW"), (":", "ja"), ("tlh:vo", "ja")]
)
def test_an_unknown_language_leads_to_the_next(named: str, language: str) -> None:
    assert preferred_language("auto", known, {"LANGUAGE": named, "LANG": "ja_JP"}) == language


@pytest.mark.parametrize(
    "junk", ["-", "_", ".", "@", "_CN", "zh_CN_too_long_" * 40, "../../etc", "中文", "\x00", " ja "]
)
def test_junk_does_no_harm(junk: str) -> None:
    assert preferred_language("auto", known, {"LANGUAGE": junk}) in KNOWN


def test_a_language_without_a_catalogue_is_spoken_in_english() -> None:
    for language in ("zh-TW", "ja", "xx", ENGLISH):
        assert translator(language)("{size} disk", size="7 GiB") == "7 GiB disk"


def test_every_language_whose_menus_are_quoted_can_be_spoken() -> None:
    for menu in menus():
        assert translator(menu.language)("Not connected to a GPU.")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_values_with_braces_are_not_formatted_again(language: str) -> None:
    say = translator(language)

    inner = say("{size} disk", size="{0} {size} {{}} %s")

    assert "{0} {size} {{}} %s" in say("{name}: {facts}.", name="{facts}", facts=inner)


def test_a_message_without_values_is_said_as_it_stands() -> None:
    assert translator("en")("{not a place} {") == "{not a place} {"


def test_a_list_and_a_text_are_put_together_as_the_language_does() -> None:
    english, chinese = translator("en"), translator("zh-CN")

    assert english.listed(["a", "b", "c"]) == "a, b, c"
    assert chinese.listed(["甲", "乙"]) == "甲，乙"
    assert english.joined(["One.", "Two."]) == "One. Two."
    assert chinese.joined(["甲。", "乙。"]) == "甲。乙。"
    assert (english.gap, chinese.gap) == (" ", "")


def test_marking_changes_nothing() -> None:
    assert N_("GPU memory") == "GPU memory"


@pytest.mark.parametrize(("count", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files")])
def test_a_message_that_counts_has_the_form_for_so_many(count: int, said: str) -> None:
    message = NP_("{count} file", "{count} files", counted="count")

    assert translator(ENGLISH).counting(message, count, count=count) == said
