"""What stops a cell: its text stands in place of a traceback, in every way of running a notebook."""

from __future__ import annotations

import pickle
import traceback

import pytest
from IPython.core.interactiveshell import InteractiveShell

import colab_magics
from colab_magics.stopping import RequirementNotMet

TEXT = "Requirement not met: gpu = A100.\nThere is: no GPU."


def test_it_is_the_package_s_own_under_its_public_name() -> None:
    assert colab_magics.RequirementNotMet is RequirementNotMet
    assert issubclass(RequirementNotMet, Exception)


def test_its_text_is_what_it_says() -> None:
    assert str(RequirementNotMet(TEXT)) == TEXT
    assert str(pickle.loads(pickle.dumps(RequirementNotMet(TEXT)))) == TEXT


def test_outside_a_notebook_it_is_an_exception_like_others() -> None:
    with pytest.raises(RequirementNotMet) as stopped:
        raise RequirementNotMet(TEXT)

    shown = "".join(traceback.format_exception(stopped.value))
    assert "Traceback" in shown
    assert shown.endswith(f"colab_magics.stopping.RequirementNotMet: {TEXT}\n")


def test_in_a_notebook_its_text_stands_in_place_of_a_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("from colab_magics import RequirementNotMet").raise_error()
    result = shell.run_cell(f"raise RequirementNotMet({TEXT!r})\nprint('not reached')")

    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert capsys.readouterr() == (f"{TEXT}\n", "")
