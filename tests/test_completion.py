"""What Tab offers on a magic's line, asked as ipykernel, the page and the terminal ask."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.core.interactiveshell import InteractiveShell

from colab_magics import completion, options
from colab_magics.clusters import engines
from colab_magics.model import KEYS
from fake_nvml import FakeDriver
from notebooks import Notebook

KEY_NAMES = tuple(KEYS)
LONG = {
    magic: tuple(flag for flag in options.flags(magic) if flag.startswith("--")) for magic in options.PARTS.values()
}


@pytest.fixture(params=[True, False], ids=["with Jedi", "without Jedi"])
def loaded(shell: InteractiveShell, request: pytest.FixtureRequest, tmp_path: Path) -> InteractiveShell:
    """A shell with the magics, in a folder with files that a completion could take for an answer."""
    if request.param:
        pytest.importorskip("jedi")
    shell.Completer.use_jedi = request.param
    shell.Completer.backslash_combining_completions = False  # IPython 7 takes seconds to list the names of characters
    for name in ("gpu", "ram.txt", "--all.txt", "vram"):
        (tmp_path / name).touch()
    shell.run_cell(f"%cd -q {tmp_path}")
    shell.run_cell("%load_ext colab_magics").raise_error()
    return shell


@pytest.fixture(autouse=True)
def stay_here() -> object:
    here = os.getcwd()
    yield
    os.chdir(here)


def offered(shell: InteractiveShell, text: str) -> tuple[str, ...]:
    """Press Tab behind a text, as ipykernel and the terminal do; return what its line becomes with each choice."""
    with provisionalcompleter():
        found = list(rectify_completions(text, shell.Completer.completions(text, len(text))))
    assert {one.end for one in found} <= {len(text)}
    line = text.rpartition("\n")[2]
    return tuple((text[: one.start] + one.text)[len(text) - len(line) :] for one in found)


def ways_on(typed: str, *words: str) -> tuple[str, ...]:
    """Return what a line becomes with each of these words in place of its last one."""
    rest = re.sub(r"[\w.-]*$", "", typed)
    return tuple(rest + word for word in words)


@pytest.mark.parametrize("magic", options.PARTS.values())
def test_after_two_hyphens_the_options_of_that_magic_are_offered_and_nothing_else(
    loaded: InteractiveShell, magic: str
) -> None:
    line = f"%{magic} --"

    assert offered(loaded, line) == ways_on(line, *LONG[magic])
    assert ("--processes" in LONG[magic]) == (magic == options.GPU)


@pytest.mark.parametrize(("typed", "expected"), [("", ("client", "cluster_2")), ("cl", ("client", "cluster_2")),
                                                 ("cli", ("client",)), ("x", ())])  # fmt: skip
def test_after_on_the_variables_that_drive_a_cluster(
    loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch, typed: str, expected: tuple[str, ...]
) -> None:
    monkeypatch.setattr(engines, "driving", lambda names: [name for name in names if name.startswith("cl")])
    loaded.user_ns.update(client=1, cluster_2=2, data=3)
    line = f"%runtime_status -a --on {typed}"

    found = completion.offer(options.STATUS, line.removeprefix("%runtime_status "), clusters=lambda: [*expected])

    assert found.words == [*expected]
    if expected:
        assert offered(loaded, line) == ways_on(line, *expected)


@pytest.mark.parametrize("magic", options.PARTS.values())
@pytest.mark.parametrize("typed", ["-", ""])
def test_after_one_hyphen_or_none_the_short_options_too(loaded: InteractiveShell, magic: str, typed: str) -> None:
    line = f"%{magic} {typed}"

    assert offered(loaded, line) == ways_on(line, *options.flags(magic))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%gpu_info --j", ("--json",)),
        ("%gpu_info -a --pr", ("--processes",)),
        ("%ram_info --str", ("--strict",)),
        ("%runtime_status -q --req", ("--require",)),
        ('%gpu_info -r "', KEY_NAMES),
        ("%gpu_info -r '", KEY_NAMES),
        ("%gpu_info -r ", KEY_NAMES),
        ("%gpu_info -qr ", KEY_NAMES),
        ("%gpu_info --require=", KEY_NAMES),
        ('%gpu_info --require="', KEY_NAMES),
        ('%gpu_info -r "vr', ("vram", "vram_free")),
        ('%gpu_info -r "VR', ("vram", "vram_free")),
        ('%gpu_info -r "ram>=20, di', ("disk",)),
        ('%gpu_info -r "gpu=A', ("A100",)),
        ('%gpu_info -r "gpu=A100|L', ("L4",)),
        ('%gpu_info -r "tpu=v5', ("v5e-1",)),
        ('%gpu_info -r "gpu=A100 or L', ("L4",)),
        ("%gpu_info -r gpu=A100 and vr", ("vram", "vram_free")),
        ("%gpu_info -r gpu=A100 and driver>=550 and sh", ("shm",)),
        ('%gpu_info -r "gpu=T4" --st', ("--strict",)),
        ("%gpu_info -r gpu=T4 --st", ("--strict",)),
    ],
)
def test_tab_offers_options_keys_and_accelerators_before_all_else(
    loaded: InteractiveShell, line: str, words: tuple[str, ...]
) -> None:
    assert offered(loaded, line) == ways_on(line, *words)


@pytest.mark.parametrize(
    "before",
    ["x = 1\n", "if True:\n    ", "report = ", "x = 1\nreport = ", "%time ", "%time report = ", "%%time\n", "", "  "],
)
def test_wherever_in_a_cell_the_magic_stands(loaded: InteractiveShell, before: str) -> None:
    line = f"{before}%ram_info --"

    assert offered(loaded, line) == ways_on(line.rpartition("\n")[2], *LONG[options.RAM])


def test_without_its_sign_a_magic_has_its_options_until_a_variable_has_its_name(loaded: InteractiveShell) -> None:
    assert offered(loaded, "ram_info --j") == ("ram_info --json",)

    loaded.user_ns["ram_info"] = 5
    assert "ram_info --json" not in offered(loaded, "ram_info --j")


def test_tab_offers_the_gpus_that_were_seen(loaded: InteractiveShell, plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("eight-a100")
    loaded.run_cell("%gpu_info -q")

    assert offered(loaded, "%gpu_info 7") == ("%gpu_info 7",)
    assert offered(loaded, "%gpu_info 0 -q ")[-8:] == tuple(f"%gpu_info 0 -q {index}" for index in range(8))
    assert "%ram_info 7" not in offered(loaded, "%ram_info 7")


@pytest.mark.parametrize(
    "line", ["%runtime_status --pr", "%ram_info -q # --", "%%gpu_info --j", "print('%gpu_info --j"]
)
def test_nothing_is_offered_that_does_not_fit(loaded: InteractiveShell, line: str) -> None:
    assert not [way for way in offered(loaded, line) if way.rpartition(" ")[2] in options.flags(options.GPU)]


@pytest.mark.parametrize(
    "line", ["gpu_inf", "%gpu_inf", "my_val", "my_value.rea", "open('ra", "%cd r", "import o", "--my_val"]
)
def test_elsewhere_tab_offers_what_it_did_before(loaded: InteractiveShell, line: str) -> None:
    loaded.user_ns["my_value"] = 5
    with_ours = offered(loaded, line)
    loaded.run_cell("%unload_ext colab_magics").raise_error()

    assert set(offered(loaded, line)) == {way for way in with_ours if not way.endswith(tuple(options.PARTS.values()))}


def test_after_unloading_tab_offers_nothing_of_ours(loaded: InteractiveShell) -> None:
    loaded.run_cell("%unload_ext colab_magics").raise_error()

    assert "%gpu_info --json" not in offered(loaded, "%gpu_info --j")


def test_what_we_offer_is_thought_of_on_lines_of_ours_alone(
    loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(completion, "offer", lambda *typed: asked.append(typed) or completion.Offer("", []))
    for line in ("my_val", "%cd --", "print(gpu_info --", "%load_ext "):
        offered(loaded, line)
    assert not asked

    offered(loaded, "%gpu_info --")
    assert [typed[:3] for typed in asked] == [("gpu_info", "--", ())]


@pytest.mark.slow
def test_a_kernel_says_what_is_replaced(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    for before, typed, begun, first in (
        ("", "%gpu_info --", "--", "--all"),
        ("x = 1\nif x:\n    ", "%gpu_info -q --pr", "--pr", "--processes"),
        ("", '%runtime_status -r "gpu=A', "A", "A100"),
        ("%%time\n", '%runtime_status -r "', "", "bf16"),
    ):
        for behind in ("", "\nprint(1)"):
            place = len(before + typed)
            answer = notebook.client.complete(before + typed + behind, place, reply=True, timeout=60)["content"]

            assert answer["matches"][0] == first
            assert (answer["cursor_start"], answer["cursor_end"]) == (place - len(begun), place)
            assert all(match.startswith(begun) for match in answer["matches"])
            assert len(answer["matches"]) <= len(KEYS)


@pytest.mark.slow
def test_in_a_terminal_tab_completes_an_option_and_lists_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")
    terminal = pexpect.spawn(
        sys.executable,
        [
            "-m",
            "IPython",
            "--no-banner",
            "--no-confirm-exit",
            "--TerminalInteractiveShell.display_completions=readlinelike",
        ],
        cwd=str(tmp_path),
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 100),
    )
    try:
        terminal.expect(r"In .*\[.*1.*\]")
        terminal.sendline("%load_ext colab_magics")
        terminal.expect(r"In .*\[.*2.*\]")
        terminal.send("%gpu_info --\t")
        terminal.expect("--all")
        terminal.expect("--processes")
        listed = f"{terminal.before}{terminal.after}"
        assert "--json" in listed
        assert "abs" not in listed
        terminal.send("pr\t")
        terminal.expect("ocesses")
    finally:
        terminal.close(force=True)
