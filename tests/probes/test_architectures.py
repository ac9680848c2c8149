from __future__ import annotations

import os
from pathlib import Path

import pytest

from colab_magics.probes import architectures
from colab_magics.probes.architectures import in_library, in_note, in_words

WORDS = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120")
LIST = " ".join(WORDS).encode()


def library(folder: Path, *content: bytes) -> str:
    file = folder / "libtorch_python.so"
    file.write_bytes(b"".join(content))
    return str(file)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"\0" + LIST + b"\0", WORDS, id="as compilers lay strings"),
        pytest.param(b"\x7fELF" + bytes(9) + LIST + b"\0\0\0", WORDS, id="among others"),
        pytest.param(b"\x01" + LIST + b"\0", WORDS, id="after a byte that is no letter"),
        pytest.param(LIST + b"\0", WORDS, id="at the very start"),
        pytest.param(b"\0" + LIST + b"\0x\0" + LIST + b"\0", WORDS, id="twice the same"),
        pytest.param(b"\0sm_87\0", ("sm_87",), id="somebody's own build, for one GPU"),
        pytest.param(b"\0sm_90a sm_100f\0", ("sm_90a", "sm_100f"), id="narrowed"),
        pytest.param(b"\0" + LIST, None, id="does not end"),
        pytest.param(b"\0" + LIST + b" and more\0", None, id="in a sentence that goes on"),
        pytest.param(b"\0supports " + LIST + b"\0", None, id="at the end of a sentence"),
        pytest.param(b"\0libsm_80\0", None, id="at the end of a word"),
        pytest.param(b"\0sm_70  sm_80\0", None, id="two blanks"),
        pytest.param(b"\0sm_7\0sm_7000\0sm_90b\0", None, id="no such words"),
        pytest.param(b"\0sm_70 sm_80\0sm_90\0", None, id="several, of which none is known to be the one"),
        pytest.param(b"\0gfx90a gfx942\0", None, id="AMD's"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_the_one_string_of_such_words_is_the_list(content: bytes, expected: object, tmp_path: Path) -> None:
    assert in_library(library(tmp_path, content)) == expected


@pytest.mark.parametrize("before", range(-len(LIST) - 2, 3))
def test_a_list_is_found_whole_wherever_the_pieces_meet(before: int, tmp_path: Path) -> None:
    at = architectures._PIECE_BYTES + before

    assert in_library(library(tmp_path, b"x" * (at - 1), b"\0", LIST, b"\0", b"y" * 9000)) == WORDS


@pytest.mark.parametrize("before", range(-len(LIST) - 2, 3))
def test_a_list_is_not_taken_up_in_its_middle(before: int, tmp_path: Path) -> None:
    """What is kept of a piece may begin within a list; here it stands in a sentence, and is none."""
    at = architectures._PIECE_BYTES - architectures._OVERLAP_BYTES + before

    assert in_library(library(tmp_path, b"x" * at, LIST, b"\0", b"y" * 9000)) is None


def test_a_library_is_searched_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = library(tmp_path, b"\0", LIST, b"\0")
    assert in_library(path) == WORDS
    with monkeypatch.context() as context:
        context.setattr(architectures, "open", lambda *_, **__: pytest.fail("read again"), raising=False)
        assert in_library(path) == WORDS
    library(tmp_path, b"\0sm_50 sm_60\0")

    assert in_library(path) == ("sm_50", "sm_60")


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = library(tmp_path, b"\0", LIST, b"\0")
    os.truncate(path, 128 * 2**20)
    assert in_library(path) == WORDS
    os.truncate(path, 128 * 2**20 + 1)

    assert in_library(path) is None


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for a writer

    assert in_library(str(tmp_path / "pipe")) is None
    assert in_library(str(tmp_path)) is None
    assert in_library(str(tmp_path / "not there")) is None
    assert in_library("nul\0byte") is None
    assert in_library("/dev/zero") is None


def test_a_library_that_cannot_be_read_tells_nothing_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    path = library(tmp_path, b"\0", LIST, b"\0")
    with monkeypatch.context() as context:
        context.setattr(os, "open", refuse)
        assert in_library(path) is None

    assert in_library(path) == WORDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[('cuda_compute_capabilities', ['sm_60', 'compute_90'])]", ("sm_60", "compute_90"), id="pairs"),
        pytest.param('{"cuda_compute_capabilities": ["sm_60"]}', ("sm_60",), id="a table"),
        pytest.param("[('cuda_compute_capabilities', ['7.5', '8.6'])]", None, id="other words"),
        pytest.param("[('cuda_compute_capabilities', [])]", None, id="none"),
        pytest.param("[('cuda_compute_capabilities', ['sm_60'", None, id="cut short"),
        pytest.param("[('is_cuda_build', True)]", None, id="not told"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_tensorflow_s_note_is_read_and_not_run(text: str, expected: object) -> None:
    assert in_note(f"build_info = collections.OrderedDict({text})\n") == expected


@pytest.mark.parametrize("told", [None, "sm_70", {"sm_70": 1}, [], [70], ["sm_70", None], ["sm_70 "], ["sm_70\n"]])
def test_what_is_no_list_of_such_words_is_none(told: object) -> None:
    assert in_words(told) is None


def test_a_list_of_such_words_is_taken_as_it_is() -> None:
    assert in_words(["sm_70", "compute_90a"]) == in_words(("sm_70", "compute_90a")) == ("sm_70", "compute_90a")
