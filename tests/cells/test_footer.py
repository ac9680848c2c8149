"""The line below cells, in a shell of this process; tests/cells/test_footer_in_kernels.py has real kernels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from builders import A_CELL, GIB, MIB, SILENT, T4_WORK
from colab_magics.cells import footer
from colab_magics.magics import ColabMagics
from colab_magics.model.cells import Cell
from colab_magics.probes import gpu_work
from colab_magics.values import replace

QUIET = replace(A_CELL, wall_seconds=0.01, ram_before_bytes=GIB, ram_after_bytes=GIB, ram_peak_bytes=GIB, gpus=())


class AMeter:
    """In place of the real one, so that a cell takes what a test says."""

    taken = QUIET
    begun = 0

    def __init__(self) -> None:
        type(self).begun += 1

    def end(self, *, number: int | None, first_line: str, failed: bool) -> Cell:
        return replace(self.taken, number=number, first_line=first_line, failed=failed)


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> type[AMeter]:
    monkeypatch.setattr(AMeter, "taken", QUIET)
    monkeypatch.setattr(AMeter, "begun", 0)
    monkeypatch.setattr(footer, "Meter", AMeter)
    return AMeter


@pytest.fixture
def loaded(shell: InteractiveShell) -> InteractiveShell:
    shell.run_line_magic("load_ext", "colab_magics")
    shell.run_line_magic("config", "ColabMagics.footer = True")
    return shell


def magics(shell: InteractiveShell) -> ColabMagics:
    found: Any = shell.magics_manager.registry["ColabMagics"]
    assert isinstance(found, ColabMagics)
    return found


def run(shell: Any, code: str, *, counted: bool = True) -> list[str]:
    """Run a cell, and return what it displayed."""
    shell.display_pub.outputs.clear()
    with capture_output(display=False):
        shell.run_cell(code, store_history=counted)
    return [one["data"]["text/plain"] for one in shell.display_pub.outputs]


def remembered(shell: InteractiveShell) -> list[tuple[int | None, str, bool]]:
    return [(cell.number, cell.first_line, cell.failed) for cell in magics(shell).session.cells]


def hooks(shell: Any) -> list[Any]:
    callbacks = shell.events.callbacks
    return [
        one
        for event in ("pre_run_cell", "post_run_cell", "pre_execute", "post_execute")
        for one in callbacks[event]
        if one.__module__ == footer.__name__
    ]


def test_nothing_is_hooked_in_unless_it_is_wanted(shell: InteractiveShell) -> None:
    shell.run_line_magic("load_ext", "colab_magics")
    assert hooks(shell) == []

    shell.run_line_magic("config", "ColabMagics.footer = True")
    assert len(hooks(shell)) == 2

    shell.run_line_magic("config", "ColabMagics.footer = False")
    assert hooks(shell) == []
    assert run(shell, "import time; time.sleep(1.1)") == []
    assert remembered(shell) == []


def test_it_is_on_once_however_often_it_is_switched_on_and_loaded(loaded: InteractiveShell) -> None:
    loaded.run_line_magic("config", "ColabMagics.footer = True")
    loaded.run_line_magic("reload_ext", "colab_magics")
    loaded.run_line_magic("reload_ext", "colab_magics")

    assert len(hooks(loaded)) == 2


def test_unloaded_it_leaves_nothing(loaded: InteractiveShell) -> None:
    loaded.run_line_magic("unload_ext", "colab_magics")

    assert hooks(loaded) == []


def test_it_may_be_set_where_ipython_reads_its_settings(shell: InteractiveShell) -> None:
    shell.config.ColabMagics.footer = True
    shell.run_line_magic("load_ext", "colab_magics")

    assert len(hooks(shell)) == 2


def test_a_setting_that_is_wrong_leaves_no_hooks(shell: InteractiveShell) -> None:
    shell.config.ColabMagics.footer = True
    shell.config.ColabMagics.language = "xx"
    with pytest.raises(UsageError):
        shell.run_line_magic("load_ext", "colab_magics")

    assert hooks(shell) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"wall_seconds": 0.99}, []),
        ({"wall_seconds": 1.0}, ["1.0 s"]),
        ({"ram_peak_bytes": GIB + 49_000_000}, []),
        ({"ram_peak_bytes": GIB + 60 * MIB}, ["10 ms, peak 60 MiB over the start"]),
        ({"ram_after_bytes": GIB - 60 * MIB}, ["10 ms, 60 MiB let go"]),
        ({"ram_peak_bytes": None, "ram_before_bytes": None, "gpus": None}, []),
    ],
)
def test_a_cell_has_a_line_from_a_second_or_fifty_megabytes_on(
    loaded: InteractiveShell, meter: type[AMeter], changes: dict[str, Any], expected: list[str]
) -> None:
    meter.taken = replace(QUIET, **changes)

    assert run(loaded, "x = 1") == expected
    assert len(remembered(loaded)) == 1


def test_from_where_on_is_a_setting(loaded: InteractiveShell, meter: type[AMeter]) -> None:
    meter.taken = replace(QUIET, wall_seconds=0.5, ram_peak_bytes=GIB + 10 * MIB)
    assert run(loaded, "x = 1") == []

    loaded.run_line_magic("config", "ColabMagics.footer_seconds = 0.5")
    assert run(loaded, "x = 1") == ["500 ms, peak 10 MiB over the start"]

    loaded.run_line_magic("config", "ColabMagics.footer_seconds = 100")
    loaded.run_line_magic("config", "ColabMagics.footer_megabytes = 10")
    assert run(loaded, "x = 1") == ["500 ms, peak 10 MiB over the start"]


def test_the_line_is_one_message_in_the_chosen_language_and_muted(
    loaded: Any, meter: type[AMeter], monkeypatch: pytest.MonkeyPatch
) -> None:
    meter.taken = A_CELL
    loaded.run_line_magic("config", "ColabMagics.language = 'zh-CN'")
    (line,) = run(loaded, "x = 1")
    (bundle,) = (one["data"] for one in loaded.display_pub.outputs)

    assert line.startswith("42 秒")
    assert sorted(bundle) == ["text/html", "text/plain"]
    assert line in bundle["text/html"]
    assert 'lang="zh-CN"' in bundle["text/html"]
    assert "opacity" in bundle["text/html"]
    assert len(bundle["text/html"]) < 500


def test_cells_are_known_by_their_number_and_their_first_line(loaded: Any, meter: type[AMeter]) -> None:
    first = loaded.execution_count
    run(loaded, "# The first\nx = 1")
    run(loaded, "y = 2")

    assert remembered(loaded) == [(first, "x = 1", False), (first + 1, "y = 2", False)]


@pytest.mark.parametrize("code", ["1/0", "def", "%no_such_magic", "raise KeyboardInterrupt", "await no_such_name"])
def test_a_cell_that_fails_is_measured_and_said_to_have_failed(loaded: Any, meter: type[AMeter], code: str) -> None:
    meter.taken = A_CELL

    assert len(run(loaded, code)) == 1
    assert [failed for _, _, failed in remembered(loaded)] == [True]
    assert len(run(loaded, "x = 1")) == 1


@pytest.mark.parametrize("code", ["", "  \n ", "# nothing"])
def test_a_cell_without_code_disturbs_nothing(loaded: Any, meter: type[AMeter], code: str) -> None:
    run(loaded, code)
    run(loaded, "x = 1")

    assert remembered(loaded)[-1][1] == "x = 1"
    assert len(remembered(loaded)) == 1 + (code == "# nothing")


@pytest.mark.parametrize("counted", ["True", "False"])
def test_a_cell_within_a_cell_is_part_of_it(loaded: Any, meter: type[AMeter], counted: str) -> None:
    meter.taken = A_CELL
    number = loaded.execution_count
    code = f"ip = get_ipython()\nfor _ in 1, 2: ip.run_cell('x = 1', store_history={counted})\nip.run_cell('')\nx = 2"

    assert len(run(loaded, code)) == 1
    assert meter.begun == 1
    assert remembered(loaded) == [(number, "ip = get_ipython()", False)]
    assert len(run(loaded, "x = 3")) == 1


def test_a_cell_whose_end_was_never_told_is_left_out(loaded: Any, meter: type[AMeter]) -> None:
    from IPython.core.interactiveshell import ExecutionInfo

    measured: Any = magics(loaded)._footer
    arguments = (None,) * (ExecutionInfo.__init__.__code__.co_argcount - 5)
    measured._cell_started(ExecutionInfo("lost = 1", True, False, True, *arguments))
    run(loaded, "x = 1")

    assert [line for _, line, _ in remembered(loaded)] == ["x = 1"]


def test_cells_that_ipython_does_not_count_are_others_and_left_alone(loaded: Any, meter: type[AMeter]) -> None:
    meter.taken = A_CELL

    assert run(loaded, "x = 1", counted=False) == []
    loaded.run_cell("x = 1", silent=True, store_history=True)
    assert (meter.begun, remembered(loaded)) == (0, [])


def test_a_captured_cell_has_its_line_below_it(loaded: Any, meter: type[AMeter]) -> None:
    meter.taken = A_CELL
    (line,) = run(loaded, "%%capture kept\nprint(1)\ndisplay(2)")

    assert line.startswith("42 s")
    assert len(loaded.user_ns["kept"].outputs) == 1
    assert remembered(loaded)[0][1] == "print(1)"


@pytest.mark.parametrize("footer_is_on", [True, False])
@pytest.mark.parametrize("quiet", ["", " -q"])
def test_a_cell_that_is_measured_by_its_first_line_is_remembered_once(
    loaded: Any, meter: type[AMeter], footer_is_on: bool, quiet: str
) -> None:
    meter.taken = A_CELL
    run(loaded, f"%config ColabMagics.footer = {footer_is_on}")
    before = len(remembered(loaded))
    number = loaded.execution_count
    shown = run(loaded, f"%%runtime_status{quiet}\nx = bytearray(1)\nx")

    assert remembered(loaded)[before:] == [(number, "x = bytearray(1)", False)]
    assert len(shown) == (0 if quiet else 1)  # the report, and no line below it
    assert magics(loaded).session.cells[-1].wall_seconds < 42


def test_a_cell_within_one_that_is_measured_by_its_first_line_is_part_of_it(loaded: Any, meter: type[AMeter]) -> None:
    run(loaded, "%%runtime_status -q\nget_ipython().run_cell('x = 1', store_history=True)\nx")

    assert [line for _, line, _ in remembered(loaded)] == ["get_ipython().run_cell('x = 1', store_history=True)"[:60]]


def test_cells_of_two_threads_are_two(loaded: Any, meter: type[AMeter]) -> None:
    """A subshell's cell runs beside the main one's."""
    measured: Any = magics(loaded)._footer
    within: list[Callable[[], None]] = []

    def other() -> None:
        loaded.events.trigger("pre_run_cell", info)
        within.append(lambda: None)
        loaded.events.trigger("post_run_cell", result)

    class info:  # noqa: N801 - as IPython's record
        raw_cell, store_history = "other = 1", True

    class result:  # noqa: N801 - as IPython's record
        success, execution_count = True, 99

    result.info = info  # type: ignore[attr-defined]
    loaded.user_ns["beside"] = lambda: (one := threading.Thread(target=other), one.start(), one.join())
    run(loaded, "beside()")

    assert [line for _, line, _ in remembered(loaded)] == ["other = 1", "beside()"]
    assert measured._begun == {}


def test_without_a_result_the_cell_failed_and_has_no_number(loaded: Any, meter: type[AMeter]) -> None:
    """Kernels hand on none where a cell ended by what no cell should end by."""

    class info:  # noqa: N801 - as IPython's record
        raw_cell, store_history = "x = 1", True

    loaded.events.trigger("pre_run_cell", info)
    loaded.events.trigger("post_run_cell", None)

    assert remembered(loaded) == [(None, "x = 1", True)]


@pytest.mark.parametrize("broken", ["__init__", "end"])
def test_what_cannot_be_measured_ends_it_with_one_line_that_says_so(
    loaded: Any, meter: type[AMeter], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise PermissionError("/home/somebody")

    monkeypatch.setattr(AMeter, broken, fails)
    (line,) = run(loaded, "x = 1")

    assert line == "No more lines below cells (ColabMagics.footer): PermissionError"
    assert not magics(loaded).footer
    assert hooks(loaded) == []
    assert loaded.user_ns["x"] == 1
    assert run(loaded, "x = 2") == []


def test_an_interrupt_while_we_measure_is_no_mistake_of_ours(
    loaded: Any, meter: type[AMeter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for broken in ("__init__", "end"):
        with monkeypatch.context() as patched:
            patched.setattr(AMeter, broken, interrupted)
            assert run(loaded, "x = 1") == []
        assert "callback" not in capsys.readouterr().out
    assert magics(loaded).footer
    run(loaded, "x = 2")
    assert [line for _, line, _ in remembered(loaded)] == ["x = 2"]


def test_a_mistake_in_showing_does_not_reach_the_cell(
    loaded: Any, meter: type[AMeter], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from colab_magics.views import display

    def fails(*_: object) -> None:
        raise ValueError

    meter.taken = A_CELL
    monkeypatch.setattr(display, "show_quietly", fails)

    assert run(loaded, "x = 1") == []
    assert capsys.readouterr() == ("", "")
    assert hooks(loaded) == []


def test_the_real_meter_sees_what_a_cell_holds_for_a_moment_and_keeps(loaded: Any) -> None:
    loaded.run_line_magic("config", "ColabMagics.footer_seconds = 1000")
    (peak,) = run(loaded, "x = bytearray(150_000_000); del x")
    (kept,) = run(loaded, "x = bytearray(150_000_000)")

    assert "peak 143 MiB over the start" in peak
    assert "kept" not in peak
    assert "143 MiB kept" in kept
    assert run(loaded, "y = 1") == []


# The GPUs ------------------------------------------------------------------------------------------------------------


class AWatch:
    """In place of the observer's child."""

    def __init__(self, gpus: Any) -> None:
        self.gpus = gpus
        self.asked: list[str] = []

    def begin(self) -> gpu_work.Begun:
        self.asked.append("begin")
        return gpu_work.Begun(1, None, "/") if self.gpus else gpu_work.Begun(None, self.gpus, "/")

    def end(self, _begun: gpu_work.Begun, *, deadline_seconds: float) -> gpu_work.Done:
        assert deadline_seconds <= 1
        self.asked.append("end")
        return gpu_work.Done(self.gpus)

    def drop(self, _begun: gpu_work.Begun) -> None:
        self.asked.append("drop")


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], AWatch]:
    def use(gpus: Any) -> AWatch:
        made = AWatch(gpus)
        for name in ("begin", "end", "drop"):
            monkeypatch.setattr(gpu_work, name, getattr(made, name))
        return made

    return use


def test_a_cell_that_was_over_at_once_asks_nothing_of_the_gpus(
    loaded: Any, meter: type[AMeter], watch: Callable[[Any], AWatch]
) -> None:
    watched = watch((T4_WORK,))
    run(loaded, "x = 1")
    (cell,) = magics(loaded).session.cells

    assert watched.asked == ["begin", "drop"]
    assert (cell.gpus, cell.unavailable) == (None, (("gpus", "too_short"),))


@pytest.mark.parametrize("changes", [{"wall_seconds": 0.1}, {"ram_peak_bytes": GIB + 60 * MIB}])
def test_a_cell_that_took_time_or_memory_has_its_work_on_the_gpus(
    loaded: Any, meter: type[AMeter], watch: Callable[[Any], AWatch], changes: dict[str, Any]
) -> None:
    meter.taken = replace(QUIET, **changes)
    watched = watch((T4_WORK,))
    (line,) = run(loaded, "x = 1")

    assert watched.asked == ["begin", "end"]
    assert line.endswith("GPU 0 busy 84 %, its memory 10.0 GiB over the start")
    assert magics(loaded).session.cells[0].gpus == (T4_WORK,)


@pytest.mark.parametrize(("over_mib", "lines"), [(60, 1), (40, 0)])
def test_what_it_took_of_a_gpu_s_memory_counts_too(
    loaded: Any, meter: type[AMeter], watch: Callable[[Any], AWatch], over_mib: int, lines: int
) -> None:
    meter.taken = replace(QUIET, wall_seconds=0.2)
    watch((replace(T4_WORK, memory_peak_bytes=GIB + over_mib * MIB),))

    assert len(run(loaded, "x = 1")) == lines


def test_where_there_is_no_gpu_nobody_looks_again_for_a_while(
    loaded: Any, meter: type[AMeter], watch: Callable[[Any], AWatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(())
    for _ in range(3):
        run(loaded, "x = 1")
    assert watched.asked == ["begin", "end"]
    assert [cell.gpus for cell in magics(loaded).session.cells] == [(), (), ()]

    monkeypatch.setattr(footer.time, "monotonic", lambda: 1e9)
    run(loaded, "x = 1")
    assert watched.asked == ["begin", "end"] * 2


def test_a_driver_that_does_not_tell_is_left_alone_for_a_while(
    loaded: Any, meter: type[AMeter], watch: Callable[[Any], AWatch]
) -> None:
    watched = watch(SILENT)
    watched.begin = lambda: gpu_work.Begun(1, None, "/")  # type: ignore[method-assign]
    meter.taken = replace(QUIET, wall_seconds=3.0)

    assert run(loaded, "x = 1") == ["3.0 s"]
    assert run(loaded, "x = 1") == ["3.0 s"]
    assert watched.asked.count("end") == 1
    assert [(cell.gpus, cell.unavailable) for cell in magics(loaded).session.cells] == [
        (None, (("gpus", "unreadable"),))
    ] * 2


def test_what_runs_when_it_is_switched_off_is_watched_no_longer(
    loaded: Any, meter: type[AMeter], watch: Callable[[Any], AWatch]
) -> None:
    watched = watch((T4_WORK,))
    run(loaded, "%config ColabMagics.footer = False")

    assert watched.asked == ["begin", "drop"]
    assert remembered(loaded) == []
