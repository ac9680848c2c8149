from __future__ import annotations

import contextlib
import pickle
import re
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colab_magics.model import KEYS
from colab_magics.requirement import parser
from colab_magics.requirement.parser import (
    OPERATORS,
    Clause,
    Name,
    Requirement,
    RequirementSyntaxError,
    Size,
    Term,
    Version,
    packages_of,
    parse,
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
        ("gpu=A100|L4", (Term("gpu", "=", (Name("A100"), Name("L4"))),)),
        ("gpu=A100|tpu", (Term("gpu", "=", (Name("A100"),)), Term("tpu"))),
        ("gpu=A100|vram>=40", (Term("gpu", "=", (Name("A100"),)), Term("vram", ">=", (Size(Decimal(40), "GB"),)))),
        ("gpu=A100|ram 6000", (Term("gpu", "=", (Name("A100"), Name("ram 6000"))),)),
        ("gpu=tpu", (Term("gpu", "=", (Name("tpu"),)),)),
        ("python=3.11|3.12", (Term("python", "=", (Version((3, 11)), Version((3, 12)))),)),
    ],
)
def test_after_a_value_a_key_begins_a_term_and_all_else_is_another_value(text: str, clause: tuple[Term, ...]) -> None:
    assert parse(text) == Requirement((Clause(clause),))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("gpu==A100", "gpu = A100"),
        ("gpu=A100 or L4", "gpu = A100|L4"),
        ("gpu=A100 OR gpu=L4", "gpu = A100 | gpu = L4"),
        ("gpu=T4 and ram>=12", "gpu = T4, ram >= 12 GB"),
        ("GPU = a100 | l4 , VRAM >= 40 gb", "gpu = a100|l4, vram >= 40 GB"),
        ("gpu=A100, or L4", "gpu = A100|L4"),
        ("gpu=T4, And ram>=12", "gpu = T4, ram >= 12 GB"),
        ("gpu or tpu and ram>=12", "gpu | tpu, ram >= 12 GB"),
        ("ram>=12 or\ttpu", "ram >= 12 GB | tpu"),
        ("torch >= 2.4 or JAX", "torch >= 2.4 | jax"),
        ("Scikit_Learn==1.7 and zope.interface", "scikit-learn = 1.7, zope-interface"),
        ("gpu=Andor|A-or-B|A_and_B", "gpu = Andor|A-or-B|A_and_B"),
        ("cores>=1.5, shm>=8, driver>=550.90.07", "cores >= 1.5, shm >= 8 GB, driver >= 550.90.7"),
    ],
)
def test_what_people_write_is_read(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("torch>=2.4|jax", (Term("torch", ">=", (Version((2, 4)),)), Term("jax"))),
        ("ram>=20|torch", (Term("ram", ">=", (Size(Decimal(20), "GB"),)), Term("torch"))),
        ("gpu=A100|torch", (Term("gpu", "=", (Name("A100"), Name("torch"))),)),
        ("gpu=A100|torch>=2", (Term("gpu", "=", (Name("A100"),)), Term("torch", ">=", (Version((2,)),)))),
        ("gpu|torch", (Term("gpu"), Term("torch"))),
    ],
)
def test_after_a_value_a_package_begins_a_term_where_it_cannot_be_a_value(text: str, clause: tuple[Term, ...]) -> None:
    assert parse(text) == Requirement((Clause(clause),))


def _spelt(text: str, draw: st.DataObject) -> str:
    """Write a requirement in its canonical form in another of people's ways."""
    ways = {
        ",": [",", " ,\n", " and ", " AND ", ", and "],
        "|": ["|", " | ", " or ", " Or ", ", or "],
        " = ": ["=", "==", " = ", " == "],
        " GB": ["", " GB", "gb", "\tGb"],
    }
    pieces = re.split(r"(, ?|\|| = | GB\b)", text)
    written = [draw.draw(st.sampled_from(ways[piece.strip() if piece[0] in ",|" else piece]))
               if number % 2 else draw.draw(st.sampled_from([piece, piece.upper(), piece.lower()]))
               for number, piece in enumerate(pieces)]  # fmt: skip
    return "".join(written)


@REPEATABLE
@given(REQUIREMENTS, st.data())
def test_every_spelling_of_a_requirement_is_read_as_the_same(asked: Requirement, draw: st.DataObject) -> None:
    assert parse(_spelt(str(asked), draw)) == asked


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        ("", 0, "Nothing is required"),
        ("  ", 0, "Nothing is required"),
        ("vram=>15", 4, 'Found "=>" at column 5, in "vram^=>15": vram takes >= > <= < = !='),
        ("torch~=2.4", 5, 'Found "~=" at column 6, in "torch^~=2.4": torch takes >= > <= < = !='),
        ("gpu=A100,", 9, 'Found no key at column 10, in "gpu=A100,^": a key is one of bf16 cc cores cuda disk'),
        ("gpu=A100||L4", 9, 'Found no key at column 10, in "gpu=A100|^|L4"'),
        ("gpu=A100 or", 11, 'Found no key at column 12, in "gpu=A100 or^"'),
        ("gpu=or", 4, 'Found no value at column 5, in "gpu=^or": gpu takes a name, such as A100'),
        ("and gpu", 0, "Found no key"),
        (">=15", 0, "Found no key"),
        ("15", 0, 'Found "15" at column 1, in "^15": a key is one of bf16 cc'),
        ("mémoire>=15", 0, "or a package's name"),
        ("vram 15", 0, 'Found "vram 15" at column 1, in "^vram 15": between vram and its value stands one of'),
        ("gpu=T4 ram>=12", 4, 'Found "T4 ram>=12" at column 5, in "gpu=^T4 ram>=12": before ram stands "," or "|"'),
        ("vram>=", 6, 'Found no value at column 7, in "vram>=^": vram takes a size'),
        ("vram>=15 PB", 6, 'in "vram>=^15 PB": vram takes a size, such as 15 or 16GiB, in GB GiB'),
        ("ram>=20, disk >=  much", 18, 'Found "much" at column 19, in "ram>=20, disk >=  ^much": disk takes a size'),
        ("cc>=eight", 4, "cc takes a version, such as 8.0"),
        ("torch==2.4.0+cu121", 7, "torch takes a version, such as 2.4, in figures alone"),
        ("gpus>=1.5", 6, "gpus takes a number, such as 2"),
        ("cores>=many", 7, "cores takes a number, such as 4 or 1.5"),
        ("bf16=yes", 4, 'Found "=" at column 5, in "bf16^=yes": bf16 stands alone'),
        ("gpu=--", 4, "gpu takes a name"),
        ("gpu=A\x1b[31m", 4, 'Found "A\\x1b[31m" at column 5, in "gpu=^A\\x1b[31m"'),
        ("gpu=A=B", 4, "gpu takes a name"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(text: str, position: int, found: str) -> None:
    with pytest.raises(RequirementSyntaxError) as caught:
        parse(text)

    assert found in str(caught.value)
    assert caught.value.position == position
    assert caught.value.text == text


@pytest.mark.parametrize("operator", [">=", ">", "<=", "<"])
def test_names_have_no_order_and_it_is_said_what_to_ask_instead(operator: str) -> None:
    with pytest.raises(RequirementSyntaxError) as caught:
        parse(f"ram>=12, gpu{operator}T4")

    assert caught.value.position == 12
    assert f'Found "{operator}" at column 13, in "ram>=12, gpu^{operator}T4": gpu takes = !=' in str(caught.value)
    for instead in ("vram>=15", "cc>=7.5", "gpu=T4|L4"):
        assert instead in str(caught.value)
        assert parse(instead)
    with pytest.raises(RequirementSyntaxError, match=r"list them \(tpu=v5e-1\|v6e-1\)"):
        parse(f"tpu{operator}v5e-1")


@pytest.mark.parametrize(
    ("text", "place", "meant"),
    [
        ("T4", "^T4", "gpu=T4"),
        ("t4>=1", "^t4>=1", "gpu=t4"),
        ("gpu=T4, L4", "gpu=T4, ^L4", "gpu=L4"),
        ("gpu|A100", "gpu|^A100", "gpu=A100"),
        ("ram>=12 or V100", "ram>=12 or ^V100", "gpu=V100"),
        ("A100 40GB", "^A100 40GB", "gpu=A100 40GB"),
        ("A100-80GB", "^A100-80GB", "gpu=A100-80GB"),
        ("T4 x2", "^T4 x2", "gpu=t4"),
        ("Tesla T4", "^Tesla T4", "gpu=Tesla T4"),
        ("RTX PRO 6000", "^RTX PRO 6000", "gpu=RTX PRO 6000"),
        ("P100", "^P100", "gpu=P100"),
        ("v5e", "^v5e", "tpu=v5e"),
        ("v6e-1 TPU", "^v6e-1 TPU", "tpu=v6e-1 TPU"),
    ],
)
def test_an_accelerator_s_name_alone_is_a_mistake_and_what_it_means_is_said(text: str, place: str, meant: str) -> None:
    with pytest.raises(RequirementSyntaxError) as caught:
        parse(text, is_installed=lambda _name: True)

    assert f'in "{place}": did you mean {meant}?' in str(caught.value)
    assert parse(meant)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vrm", "vram"),
        ("gpuu", "gpu"),
        ("rams", "ram"),
        ("vrma", "vram"),
        ("vram-free", "vram_free"),
        ("ramfree", "ram_free"),
        ("drivers", "driver"),
        ("cpu", "cores"),
        ("cpus", "cores"),
        ("memory", "ram"),
        ("Compute_Capability", "cc"),
        ("A10G", "gpu=A10G"),
        ("H200", "gpu=H200"),
    ],
)
def test_a_slip_is_a_mistake_unless_it_is_an_installed_package(typed: str, meant: str) -> None:
    asked: list[str] = []
    for rest in ("", ">=15"):
        with pytest.raises(RequirementSyntaxError) as caught:
            parse(f"gpu, {typed}{rest}", is_installed=lambda name: asked.append(name) is not None)
        place = f'Found "{typed}" at column 6, in "gpu, ^{typed}{rest}"'
        assert str(caught.value) == f"{place}: no such package is installed; did you mean {meant}?"

    name = asked[0]
    assert parse(f"{typed}>=15", is_installed=lambda installed: installed == name).clauses[0].keys == (name,)


@pytest.mark.parametrize("name", ["dask", "cudf", "ray", "cython", "ipython", "h5py", "torch", "transformers", "s3fs"])
def test_a_package_that_is_known_or_like_no_key_may_be_missing(name: str) -> None:
    assert parse(name) == Requirement((Clause((Term(name),)),))


@pytest.mark.parametrize("key", KEYS)
def test_a_key_wins_over_a_package_of_its_name(key: str) -> None:
    def is_asked(_name: str) -> bool:
        raise AssertionError

    assert parse(key, is_installed=is_asked).clauses[0].keys == (key,)


def test_keys_are_listed_in_the_order_of_the_alphabet() -> None:
    assert list(KEYS) == sorted(KEYS)
    with pytest.raises(RequirementSyntaxError, match=" ".join(KEYS)):
        parse("?")


def test_a_mistake_in_a_long_text_is_shown_where_it_is() -> None:
    with pytest.raises(
        RequirementSyntaxError, match=r"at column 451, in \"\.\.\.[^.]*,\^non sense>=1\": a key"
    ) as caught:
        parse("gpu=A100," * 50 + "non sense>=1")

    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.text, again.position) == (str(caught.value), caught.value.text, 450)


@pytest.mark.parametrize("length", [2001, 160_000])
def test_a_requirement_of_any_length_is_refused_at_once(length: int) -> None:
    text = ("gpu=" + "A|" * length)[:length]
    with pytest.raises(RequirementSyntaxError) as caught:
        parse(text)

    assert str(caught.value).startswith("Found a character too many at column 2001, in ")
    assert str(caught.value).endswith(f": a requirement has at most 2000, and this one {length}")
    assert len(str(caught.value)) < 200
    assert parse(text[:1999]).clauses


def test_a_word_that_is_long_is_cut_in_the_message() -> None:
    with pytest.raises(RequirementSyntaxError) as caught:
        parse("x" * 2000)

    assert "x" * 60 + "..." in str(caught.value)
    assert len(str(caught.value)) < 360


PIECES = st.sampled_from(
    [*KEYS, *OPERATORS, "==", "~=", ",", "|", " ", " and ", " or ", ", or", "AND", "A100", "v5e-1", "15", "GiB", "8.0",
     "torch", "scikit_learn", "-", ".", "rams", "\n", "\u202e", "é", "^"]
)  # fmt: skip


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


LONG = st.sampled_from(["or ", "and ", ", or ", "a-", "A100|", "torch>=1,", "gpu=a ", "rams,", "x", "=", "1.", " \n"])


@REPEATABLE
@given(LONG, LONG)
def test_the_longest_text_is_read_in_no_time(first: str, second: str) -> None:
    text = ((first + second) * 2000)[: parser.MOST_CHARACTERS]
    started = time.monotonic()
    with contextlib.suppress(RequirementSyntaxError):
        str(parse(text, is_installed=lambda _name: True))

    assert time.monotonic() - started < 5.0


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


def test_names_are_equal_by_their_words_in_whatever_case() -> None:
    assert Name("A100-80GB") == Name("a100 80gb")
    assert hash(Name("A100-80GB")) == hash(Name("a100 80gb"))
    assert Name("A100") != Name("A100 80GB")
    assert Name("A100") != "A100"


def test_a_requirement_tells_which_packages_it_asks_for() -> None:
    assert packages_of(parse("torch>=2.4|jax, gpu, Torch<3")) == ("torch", "jax")
