"""The catalogues: every sentence of the source is said in every language, in that language's own marks.

Where a message is missing: `nox -s catalogues` puts it into the catalogues, a person translates it.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

import catalogues
import colab_magics
from colab_magics.translation import translator

PACKAGE = Path(colab_magics.__file__).parent
CATALOGUES = Path(__file__).parents[1] / "colab_magics" / "locale"
LANGUAGES = [file.parts[-3].replace("_", "-") for file in sorted(CATALOGUES.glob("*/LC_MESSAGES/colab_magics.po"))]

CHINESE = r"[\u2e80-\u9fff\uff00-\uffef]"


def catalogue(language: str) -> Catalog:
    return catalogues.read(CATALOGUES / language.replace("-", "_") / "LC_MESSAGES" / "colab_magics.po")


def translated(language: str) -> Iterator[tuple[str, str]]:
    """Give each message in English and as it is translated, one that counts in each form that the language has."""
    for message in catalogue(language):
        if message.id:
            for form in catalogues.forms(message.string):
                yield catalogues.singular(message.id), form


def in_source() -> dict[catalogues.Message, list[str]]:
    """Return the messages of the installed package, each with the files that say it."""
    return catalogues.in_package(PACKAGE)


def as_entries(messages: dict[catalogues.Message, list[str]]) -> str:
    """Return messages as they stand in a catalogue, to be translated."""
    entries = Catalog()
    for message, files in messages.items():
        entries.add(message, locations=[(file, None) for file in files])
    written = io.BytesIO()
    write_po(written, entries, width=0, omit_header=True)
    return written.getvalue().decode()


def places(message: str) -> set[tuple[str, str | None]]:
    """Return the names of the places that are to be filled, each with the way in which its value is spoken."""
    return {(name, way) for _, name, way, _ in Formatter().parse(message) if name is not None}


def test_there_are_messages_in_the_source() -> None:
    found = in_source()

    assert {"{sentence} {sentence}", "Not connected to a GPU.", "restart the kernel"} <= found.keys()


def test_the_sentences_of_the_tables_are_messages_too() -> None:
    found = in_source()

    assert found["Colab's FAQ: limits and lifetimes"] == ["facts/links.toml"]
    assert "with a GPU, in a week" in found


def test_there_is_a_language_that_it_is_translated_into() -> None:
    assert "zh-CN" in LANGUAGES


def called(call: ast.Call) -> str | None:
    """Return the name of what is called, `translate` or `self._translate`."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def test_babel_finds_every_message_that_python_sees() -> None:
    """Until Python 3.12 an f-string is one token, and what it says inside is not found."""
    seen = {
        call.args[0].value
        for file in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and called(call) in catalogues.KEYWORDS
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    in_modules = {
        catalogues.singular(message)
        for message, files in in_source().items()
        if any(file.endswith(".py") for file in files)
    }

    assert seen == in_modules, "a message stands in an f-string: say it on a line of its own"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_the_source_is_translated(language: str) -> None:
    done = {english for english, theirs in translated(language) if theirs}
    missing = {message: files for message, files in in_source().items() if catalogues.singular(message) not in done}

    assert not missing, f"run `nox -s catalogues`, then translate\n\n{as_entries(missing)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_of_a_message_that_is_gone(language: str) -> None:
    source = set(map(catalogues.singular, in_source()))

    assert not [english for english, _ in translated(language) if english not in source]
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_a_guess(language: str) -> None:
    assert not [message.id for message in catalogue(language) if message.id and message.fuzzy]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_its_message(language: str) -> None:
    for english, theirs in translated(language):
        assert places(theirs) == places(english), english


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_says_what_the_translators_wrote(language: str) -> None:
    compiled = PACKAGE / "locale" / language.replace("-", "_") / "LC_MESSAGES" / "colab_magics.mo"
    assert compiled.exists(), "a wheel has it from hatch_build.py, a checkout from `nox -s catalogues`"
    with compiled.open("rb") as opened:
        said = GNUTranslations(opened)

    assert {english: said.gettext(english) for english, _ in translated(language)} == dict(translated(language))


def test_where_a_number_stands_before_what_is_counted_there_is_a_form_for_one() -> None:
    """Of the places that may be 1: "2 cores" is chosen by hand, since a part of a core is "0.33 cores"."""
    no_plural = {"of", "takes", "is", "has", "comes", "needs", "marks", "units", "that", "may"}
    not_counted = {"{count} cores", "Only one of {count} GPUs is in use.", "There are {count} TPU devices: {kind}."}
    counting = re.compile(r"\{(?:count|number|errors|[a-z_]*(?:count|number|errors))\} ((?:[A-Za-z]+ )??[A-Za-z]+s)\b")
    said_of_one = {
        message
        for message in in_source()
        if isinstance(message, str)
        if (found := counting.search(message)) and not no_plural & {*found[1].split()}
    }

    assert said_of_one == not_counted


def test_a_message_that_counts_has_another_form_for_several() -> None:
    counted = [message for message in in_source() if not isinstance(message, str)]

    assert len(counted) > 1
    assert all(places(one) == places(several) and one != several for one, several in counted)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_speaks(language: str) -> None:
    assert translator(language).spoken == language
    assert translator(language)("Not connected to a GPU.") != "Not connected to a GPU."


def test_chinese_sentences_have_chinese_marks() -> None:
    for english, chinese in translated("zh-CN"):
        if english.endswith("."):
            assert chinese.endswith("。"), chinese
        assert not re.search(rf"{CHINESE}\.$", chinese), chinese
        sentence = re.sub(r"!(?=[a-z])", "", chinese)  # by which a command of the shell begins
        assert not re.search(rf"{CHINESE} ?[,:;!?]|[,:;!?] ?{CHINESE}", sentence), chinese


def test_a_space_stands_between_chinese_and_latin() -> None:
    touching = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]")

    assert not [chinese for _, chinese in translated("zh-CN") if touching.search(chinese)]


def test_what_is_no_word_stays_as_it_is() -> None:
    kept = re.compile(r"%[a-z_]+|/[a-z]+\*?|CUDA_VISIBLE_DEVICES|nvidia-\w+(?:-\w+)?|pynvml\.py|\S+@\S+|\S+\.org/\S+")
    for english, chinese in translated("zh-CN"):
        for word in kept.findall(re.sub(r"\{[\w:]+\}", "", english)):
            assert word.rstrip(".") in chinese, english
