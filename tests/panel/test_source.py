from __future__ import annotations

from typing import Any

import pytest

from builders import A_CELL, A_SESSION, EIGHT_A100, GIB, a_ram, a_report
from colab_magics import report
from colab_magics.model import Subject, seen
from colab_magics.model.cells import Cell
from colab_magics.observer import client
from colab_magics.panel.source import MOMENT_SECONDS, Source
from colab_magics.values import replace

SOURCE = Source(subject=Subject.GPU, indices=(3,), driver_deadline_seconds=3.0, shell_class="a.Shell")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """How the runtime was looked at, in order; it has eight GPUs."""
    taken: list[dict[str, Any]] = []

    def watch(subject: Subject, **how: Any) -> report.Report:
        taken.append({"subject": subject, **how})
        return a_report(subject, gpus=EIGHT_A100)

    monkeypatch.setattr(report, "watch", watch)
    return taken


def test_a_look_shows_the_gpus_that_were_asked_for_and_a_look_at_all_every_one(looks: list[dict[str, Any]]) -> None:
    assert [gpu.index for gpu in seen(SOURCE.look(sample_every_seconds=1.0).snapshot.gpus)] == [3]
    assert len(seen(SOURCE.look_at_all(sample_every_seconds=1.0).snapshot.gpus)) == 8


def test_a_look_is_taken_as_the_source_says(looks: list[dict[str, Any]]) -> None:
    SOURCE.look(sample_every_seconds=2.0, restart_observer=True)

    assert looks == [
        {
            "subject": Subject.GPU,
            "shell_class": "a.Shell",
            "sample_every_seconds": 2.0,
            "driver_deadline_seconds": 3.0,
            "restart_observer": True,
        }
    ]


def test_a_brief_look_waits_for_the_driver_a_moment_and_never_longer_than_any_other(
    looks: list[dict[str, Any]],
) -> None:
    SOURCE.look(sample_every_seconds=1.0, briefly=True)
    SOURCE._replace(driver_deadline_seconds=0.05).look(sample_every_seconds=1.0, briefly=True)

    assert [look["driver_deadline_seconds"] for look in looks] == [MOMENT_SECONDS, 0.05]


def test_sampling_ends_where_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []
    monkeypatch.setattr(client, "stop_sampling", lambda: ended.append(True))
    SOURCE.stop_sampling()

    assert ended == [True]


def test_a_look_has_the_session_s_cells_of_that_moment_where_they_are_shown(looks: list[dict[str, Any]]) -> None:
    measured: list[Cell] = []
    source = SOURCE._replace(cells=lambda: (tuple(measured), A_SESSION))
    assert SOURCE.look(sample_every_seconds=1.0).snapshot.session is None
    assert source.look(sample_every_seconds=1.0).snapshot.cells == ()

    measured.append(A_CELL)
    seen_now = source.look(sample_every_seconds=1.0)
    assert (seen_now.snapshot.cells, seen_now.snapshot.session) == ((A_CELL,), A_SESSION)


def test_what_a_cell_keeps_is_found_in_the_panel_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ram = a_ram(10.0, kernel_bytes=6 * GIB)
    monkeypatch.setattr(report, "watch", lambda subject, **_: a_report(subject, ram=ram))
    kept = replace(A_CELL, ram_after_bytes=5 * GIB)
    source = SOURCE._replace(subject=Subject.RUNTIME, indices=(), cells=lambda: ((kept,), A_SESSION))

    assert "cell_kept_ram" in [one.rule for one in source.look(sample_every_seconds=1.0).findings]
