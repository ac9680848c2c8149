"""A mistake in a requirement on a magic's line: a `UsageError` that no magic swallows."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from colab_magics.mistakes import RequirementMistake
from colab_magics.stopping import StopsCell


def test_it_is_a_usage_error_and_stops_a_cell() -> None:
    assert issubclass(RequirementMistake, UsageError)
    assert issubclass(RequirementMistake, StopsCell)


@pytest.mark.parametrize("magic", ["", "%%capture\n", "%%capture\n%%capture\n"])
def test_it_is_shown_in_one_line_as_a_usage_error_is(
    magic: str, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("from colab_magics.mistakes import RequirementMistake").raise_error()
    result = shell.run_cell(f"{magic}raise RequirementMistake('it is wrong')")

    assert isinstance(result.error_in_exec, RequirementMistake)
    assert capsys.readouterr() == ("UsageError: it is wrong\n", "")
