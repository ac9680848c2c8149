from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colab_magics.requirement.parser import (
    KEYS,
    OPERATORS,
    Clause,
    Requirement,
    RequirementSyntaxError,
    Size,
    Term,
    Version,
    parse,
    words,
)
from requirements import REPEATABLE, REQUIREMENTS


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "gpu=A100|L4, vram>=15, ram>=20, disk>=50, cc>=8.0",
            "gpu = A100|L4, vram >= 15 GB, ram >= 20 GB, disk >= 50 GB, cc >= 8.0",
        ),
        ("gpu|tpu", "gpu | tpu"),
        ("gpus>=2", "gpus >= 2"),
        ("python>=3.11", "python >= 3.11"),
        ("vram>=16GiB", "vram >= 16 GiB"),
        ("vram >= 15000 mib", "vram >= 15000 MiB"),
        ("ram>=0.50tb", "ram >= 0.5 TB"),
        ("tpu=v5e-1", "tpu = v5e-1"),
        ("GPU = rtx  pro 6000 ,bf16", "gpu = rtx pro 6000, bf16"),
        ("gpu!=T4|P100", "gpu != T4|P100"),
    ],
)
def test_a_requirement_is_read_and_printed(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("gpu=A100|L4", (Term("gpu", "=", ("A100", "L4")),)),
        ("gpu=A100|tpu", (Term("gpu", "=", ("A100",)), Term("tpu"))),
        ("gpu=A100|vram>=40", (Term("gpu", "=", ("A100",)), Term("vram", ">=", (Size(Decimal(40), "GB"),)))),
        ("gpu=A100|ram 6000", (Term("gpu", "=", ("A100", "ram 6000")),)),
        ("gpu=tpu", (Term("gpu", "=", ("tpu",)),)),
        ("python=3.11|3.12", (Term("python", "=", (Version((3, 11)), Version((3, 12)))),)),
    ],
)
def test_after_a_value_a_key_begins_a_term_and_all_else_is_another_value(text: str, clause: tuple[Term, ...]) -> None:
    assert parse(text) == Requirement((Clause(clause),))


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        ("", 0, "Nothing is required"),
        ("  ", 0, "Nothing is required"),
        ("gpu==A100", 3, 'Found "==", but gpu takes = !=, at column 4: "gpu==A100"'),
        ("gpu>=T4", 3, 'Found ">=", but gpu takes = !='),
        ("vram=>15", 4, 'Found "=>", but vram takes >= > <= < = !='),
        ("gpu, vrm>=15", 5, 'Found "vrm": a key is one of gpu gpus tpu'),
        ("gpu=A100,", 9, "Found no key"),
        ("gpu=A100||L4", 9, "Found no key"),
        ("gpu|A100", 4, 'Found "A100": a key is one of'),
        (">=15", 0, "Found no key"),
        ("vram 15", 0, 'Found "vram 15": between vram and its value stands one of'),
        ("vram>=", 6, "Found no value: vram takes a size"),
        ("vram>=15 PB", 6, 'Found "15 PB": vram takes a size, such as 15 or 16GiB, in GB GiB'),
        ("ram>=20, disk >=  much", 18, 'Found "much": disk takes a size'),
        ("cc>=eight", 4, "cc takes a version, such as 8.0"),
        ("gpus>=1.5", 6, "gpus takes a number, such as 2"),
        ("bf16=yes", 4, 'Found "=", but bf16 stands alone'),
        ("gpu=--", 4, "gpu takes a name"),
        ("gpu=A\x1b[31m", 4, 'Found "A\\x1b[31m"'),
        ("gpu=A=B", 4, "gpu takes a name"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(text: str, position: int, found: str) -> None:
    with pytest.raises(RequirementSyntaxError) as caught:
        parse(text)

    assert found in str(caught.value)
    assert caught.value.position == position
    assert caught.value.text == text


def test_a_mistake_in_a_long_text_is_shown_where_it_is() -> None:
    with pytest.raises(RequirementSyntaxError, match=r"at column 451: \"\.\.\..*nonsense>=1\"$") as caught:
        parse("gpu=A100," * 50 + "nonsense>=1")

    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.text, again.position) == (str(caught.value), caught.value.text, 450)


@pytest.mark.parametrize("length", [2001, 160_000])
def test_a_requirement_of_any_length_is_refused_at_once(length: int) -> None:
    text = ("gpu=" + "A|" * length)[:length]
    with pytest.raises(RequirementSyntaxError) as caught:
        parse(text)

    assert str(caught.value).startswith(f"Found {length} characters: a requirement has at most 2000, at column 2001")
    assert len(str(caught.value)) < 200
    assert parse(text[:1999]).clauses


def test_a_word_that_is_long_is_cut_in_the_message() -> None:
    with pytest.raises(RequirementSyntaxError) as caught:
        parse("x" * 2000)

    assert "x" * 60 + "..." in str(caught.value)
    assert len(str(caught.value)) < 300


PIECES = st.sampled_from([*KEYS, *OPERATORS, ",", "|", " ", "A100", "15", "GiB", "8.0", "\n", "\u202e", "é"])


@REPEATABLE
@given(st.text() | st.lists(PIECES).map("".join))
def test_any_text_is_read_or_is_a_mistake_somewhere_in_it(text: str) -> None:
    found: Requirement | RequirementSyntaxError
    try:
        found = parse(text)
    except RequirementSyntaxError as error:
        found = error

    assert str(found).isprintable()  # and so is one line
    if isinstance(found, Requirement):
        assert parse(str(found)) == found
    else:
        assert 0 <= found.position <= len(text)


@REPEATABLE
@given(REQUIREMENTS)
def test_what_is_printed_is_read_as_the_same(asked: Requirement) -> None:
    assert parse(str(asked)) == asked


@pytest.mark.parametrize(
    ("size", "as_bytes"), [("15", 15 * 10**9), ("16GiB", 16 * 2**30), ("0.5 tb", 5 * 10**11), ("1.5MiB", 1_572_864)]
)
def test_a_size_is_gb_unless_it_says_otherwise(size: str, as_bytes: int) -> None:
    (clause,) = parse(f"ram>={size}").clauses
    (value,) = clause.terms[0].values

    assert isinstance(value, Size)
    assert value.bytes == as_bytes


def test_a_clause_names_each_of_its_keys_once() -> None:
    (clause,) = parse("gpu=A100|vram>=40|gpu=H100").clauses

    assert clause.keys == ("gpu", "vram")


def test_names_are_compared_by_their_words_in_one_case() -> None:
    assert words("NVIDIA A100-SXM4-40GB") == ["nvidia", "a100", "sxm4", "40gb"]
    assert words("--") == []
