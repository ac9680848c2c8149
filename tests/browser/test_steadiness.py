"""Between two refreshes of the panel nothing moves but figures, bars and lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from browser.frontends import Notebook
from browser.layout import moved, places
from fake_nvml import FakeDriver

GIB = 2**30
OPEN = ("%load_ext colab_magics", "%runtime_status -w")
LITTLE = ("gpu0.memory_used = 0", "gpu0.utilization_gpu = 5", "gpu0.temperature = 9", "gpu0.power_mw = 9000")
MUCH = (
    f"gpu0.memory_used = {12 * GIB}",
    "gpu0.utilization_gpu = 100",
    "gpu0.temperature = 71",
    "gpu0.power_mw = 64000",
)


@pytest.mark.frontends("lab", "classic")
@pytest.mark.usefixtures("on_colab")
@pytest.mark.parametrize("width", [1100, 420])
def test_nothing_moves_when_figures_and_lines_change(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver, width: int
) -> None:
    a_live_t4.set(*LITTLE)
    notebook = open_notebook(*OPEN, width=width)
    expect(notebook.card).to_contain_text("0.0 of 15.0 GiB")
    before = places(notebook.panel)
    assert len(before) >= 10
    for lines, words in ((MUCH, "12.0 of 15.0 GiB"), (LITTLE, "0.0 of 15.0 GiB"), (MUCH, "12.0 of 15.0 GiB")):
        a_live_t4.set(*lines)
        notebook.control("Refresh").click()  # so there is a line from the second on
        expect(notebook.card).to_contain_text(words)
        changes = moved(before, places(notebook.panel))
        assert not changes, "\n".join(changes)
