from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from builders import a_report
from colab_magics.clusters import in_notebook
from colab_magics.clusters.asking import ClusterError
from colab_magics.clusters.status import Question

ALLOWED = "Allowed: the name of one that holds a dask.distributed.Client, an ipyparallel Client or view, the module ray"


def ask(shell: Any, name: str, language: str | None = "en") -> object:
    return in_notebook.ask(shell, name, Question(), shell_class="x.Shell", language=language)


class Named:
    """What is looked up, and never run."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing", f"there is no variable nothing. {ALLOWED}"),
        ("1+1", f"'1+1' is not a variable's name. {ALLOWED}"),
        ("client.cluster", f"'client.cluster' is not a variable's name. {ALLOWED}"),
        ("print()", f"'print()' is not a variable's name. {ALLOWED}"),
    ],
)
def test_a_name_is_looked_up_and_never_evaluated(shell: InteractiveShell, name: str, expected: str) -> None:
    with pytest.raises(ClusterError) as error:
        ask(shell, name)

    assert str(error.value) == expected


def test_a_value_that_is_no_cluster_is_refused_without_running_its_code(shell: InteractiveShell) -> None:
    shell.user_ns["named"] = Named()

    with pytest.raises(ClusterError, match=r"^a value of type Named is no cluster's client\."):
        ask(shell, "named")


def test_reports_are_a_cluster_too(shell: InteractiveShell) -> None:
    shell.user_ns["reports"] = [a_report()]

    assert ask(shell, "reports")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(in_notebook.time, "monotonic", made)
    return made


class Bar:
    made: list[Bar]

    def __init__(self, **given: object) -> None:
        self.total, self.n, self.given = given["total"], 0, given
        self.closed = False
        Bar.made.append(self)

    def update(self, more: int) -> None:
        self.n += more

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def tqdm(monkeypatch: pytest.MonkeyPatch) -> type[Bar]:
    module: Any = ModuleType("tqdm.auto")
    module.tqdm = Bar
    Bar.made = []
    monkeypatch.setitem(sys.modules, "tqdm", ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    return Bar


def test_a_bar_of_tqdm_s_shows_how_many_have_answered_and_goes_away(clock: Clock, tqdm: type[Bar]) -> None:
    progress = in_notebook._Progress("en")
    progress(0, 8)
    assert not tqdm.made
    clock.now = 0.6
    for done in (1, 1, 5):
        progress(done, 8)
    progress.close()

    (bar,) = tqdm.made
    assert (bar.n, bar.total, bar.closed, bar.given["leave"]) == (5, 8, True, False)


@pytest.mark.parametrize("what", [None, "broken"])
def test_without_tqdm_one_line_says_that_it_goes_on(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, shell: InteractiveShell, what: str | None
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None if what is None else ModuleType("tqdm.auto"))  # type: ignore[arg-type]
    progress = in_notebook._Progress("en")
    clock.now = 0.6
    progress(1, 8)
    progress(2, 8)
    progress.close()

    outputs: Any = shell.display_pub
    assert [output["data"]["text/plain"] for output in outputs.outputs] == ["Asking 8 machines."]


def test_nothing_is_shown_where_nothing_is_to_be_shown(clock: Clock, tqdm: type[Bar]) -> None:
    progress = in_notebook._Progress(None)
    clock.now = 60.0
    progress(1, 8)
    progress.close()

    assert not tqdm.made


@pytest.mark.parametrize(
    "line", ["--on nothing", "--on 1+1", "--on", "--on client -w", "--on client -c", "--on client -n 3"]
)
@pytest.mark.parametrize("requirement", ["", " -r ram"])
def test_a_mistake_on_the_line_is_one_line(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], line: str, requirement: str
) -> None:
    shell.run_cell("%load_ext colab_magics")
    shell.user_ns["client"] = [a_report()]

    result = shell.run_cell(f"%runtime_status {line}{requirement}")
    said = capsys.readouterr()

    assert not result.success
    assert (said.out + said.err).startswith("UsageError: ")
    assert (said.out + said.err).count("\n") == 1
