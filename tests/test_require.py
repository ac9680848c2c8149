"""Requirements through the doors a user has: the magics, the function, the shell command."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import colab_magics
import documents
from builders import DISK, SHARED
from colab_magics import RequirementNotMet, RequirementSyntaxError
from colab_magics.options import WAIT_SECONDS
from colab_magics.probes import disk
from fake_nvml import FakeDriver
from notebooks import Notebook

Plug = Callable[..., FakeDriver]

pytestmark = pytest.mark.usefixtures("ordinary_machine")


@pytest.fixture
def loaded(shell: InteractiveShell) -> InteractiveShell:
    shell.run_cell("%load_ext colab_magics").raise_error()
    return shell


@pytest.fixture
def nvidia_gpu(ordinary_machine: None, tmp_path: Path) -> Path:
    """The machine has an NVIDIA GPU on its bus, so that a driver which refuses to tell of one is believed."""
    device = tmp_path / "machine/sys/bus/pci/devices/0000:00:04.0"
    device.mkdir()
    (device / "vendor").write_text("0x10de\n")
    (device / "class").write_text("0x030200\n")
    return device


@pytest.mark.parametrize("magic", ["gpu_info", "ram_info", "runtime_status"])
def test_a_requirement_that_holds_changes_nothing(magic: str, loaded: InteractiveShell, plug_in: Plug) -> None:
    plug_in("t4")
    result = loaded.run_cell(f'%{magic} -r "gpu=T4|L4, vram>=15, ram>=1"')

    assert result.success
    assert len(loaded.display_pub.outputs) == 1


# What people type, and what it means on a machine with a T4: reports of people who tried.
AS_PEOPLE_WRITE = [
    ("gpu=A100 or L4", "Requirement not met: gpu = A100|L4."),
    ("gpu=A100 or T4", None),
    ("gpu=T4 and ram>=12", None),
    ("gpu=T4 and ram>=20", "Requirement not met: ram >= 20 GB."),
    ("gpu==T4", None),
    ("gpu==A100", "Requirement not met: gpu = A100."),
    ("gpu>=T4", "(vram>=15)"),
    ("T4", "did you mean gpu=T4?"),
    ("gpu=A10G0", "did you mean gpu=A100?"),
    ("vram>16", "Requirement not met: vram > 16 GB."),
    ("vram>=16", None),
    ("bf16", "2 L4 GPU / A100 GPU / H100 GPU / G4 GPU"),
    ("cores>=2, shm>=1, driver>=525", None),
    ("cores>=4", "There is: 2 cores."),
    ("driver>=999", "There is: NVIDIA driver "),
    ("ipython>=7", None),
    ("ipython>=99", '%pip install "ipython>=99"'),
    ("no-such-package-at-all", "Not installed: no-such-package-at-all."),
    ("vrm>=15", 'Found "vrm" at column 1, in "^vrm>=15": no such package is installed; did you mean vram?'),
    ("gpu, ?", 'Found "?" at column 6, in "gpu, ^?": a key is one of bf16 cc cores cuda disk driver gpu gpus python'),
]


@pytest.fixture
def colab_s(ordinary_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is a hosted Colab's, with shared memory."""
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab-external_20260819-060047_RC00")
    monkeypatch.setenv("TBE_RUNTIME_ADDR", "172.28.0.1:8011")
    monkeypatch.setattr(disk, "probe_disks", lambda: (DISK, SHARED))


@pytest.mark.parametrize("asked", AS_PEOPLE_WRITE, ids=[typed for typed, _ in AS_PEOPLE_WRITE])
@pytest.mark.parametrize("line", ["%gpu_info -q -r {}", "%gpu_info -r {} -q", '%gpu_info -q --require="{}"'])
@pytest.mark.usefixtures("colab_s")
def test_what_people_type_means_what_they_mean(
    line: str,
    asked: tuple[str, str | None],
    loaded: InteractiveShell,
    plug_in: Plug,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed, said = asked
    plug_in("t4")
    result = loaded.run_cell(line.format(typed))
    shown = "".join(capsys.readouterr())

    assert loaded.display_pub.outputs == []
    assert result.success is (said is None), shown
    assert (said or "") in " ".join(shown.split())
    assert bool(shown) is (said is not None)


@pytest.mark.parametrize("magic", ["gpu_info", "ram_info", "runtime_status"])
def test_a_requirement_that_does_not_hold_stops_the_cell_and_shows_no_report(
    magic: str, loaded: InteractiveShell, plug_in: Plug, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4")
    result = loaded.run_cell(f"%{magic} -q -r 'gpu=A100'\nprint('not reached')")
    shown = "".join(capsys.readouterr())

    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert "not reached" not in shown
    assert "gpu = A100" in shown
    assert "Tesla T4" in shown
    assert "Traceback" not in shown
    assert loaded.display_pub.outputs == []


@pytest.mark.slow
@pytest.mark.parametrize("magic", ["gpu_info", "ram_info", "runtime_status"])
def test_a_driver_that_is_starting_is_waited_for(
    magic: str, loaded: InteractiveShell, plug_in: Plug, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("eight-a100", "slow nvmlInitWithFlags = 4")
    result = loaded.run_cell(f'%{magic} -q -r "gpus>=9"')

    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert "There is: 8 x NVIDIA A100-SXM4-40GB with 40.0 GiB." in "".join(capsys.readouterr())
    assert loaded.display_pub.outputs == []


@pytest.mark.slow
def test_the_report_is_of_the_driver_that_was_waited_for(loaded: InteractiveShell, plug_in: Plug) -> None:
    plug_in("eight-a100", "slow nvmlInitWithFlags = 4")

    assert loaded.run_cell('report = %gpu_info -o -r "gpus>=8"').success
    assert len(loaded.user_ns["report"].snapshot.gpus) == 8
    with provisionalcompleter():
        assert [one.text for one in loaded.Completer.completions("%gpu_info 7", 11)] == ["7"]


def test_a_requirement_that_needs_no_gpu_waits_for_none(
    loaded: InteractiveShell, plug_in: Plug, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")
    loaded.run_cell("%config ColabMagics.driver_deadline_seconds = 0.3")
    for magic in ("gpu_info", "ram_info", "runtime_status"):
        started = time.monotonic()
        assert loaded.run_cell(f'%{magic} -q -r "python>=3.11, ram>=1"').success
        assert time.monotonic() - started < WAIT_SECONDS / 2

    assert capsys.readouterr() == ("", "")
    assert loaded.display_pub.outputs == []


NOT_CHECKED = (
    "Not known, so not checked: vram >= 15 GB. NVIDIA's library is here, but the driver's kernel module is not loaded."
)


@pytest.mark.parametrize("magic", ["gpu_info", "ram_info", "runtime_status"])
def test_what_could_not_be_checked_is_the_one_line_that_quiet_shows(
    magic: str, loaded: InteractiveShell, plug_in: Plug, nvidia_gpu: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")

    assert loaded.run_cell(f'%{magic} -q -r "vram>=15, python>=3.11"').success
    (output,) = loaded.display_pub.outputs
    assert output["data"]["text/plain"] == NOT_CHECKED
    assert "Not known, so not checked: vram &gt;= 15 GB." in output["data"]["text/html"]
    assert capsys.readouterr() == ("", "")


def test_what_could_not_be_checked_stands_before_the_report(
    loaded: InteractiveShell, plug_in: Plug, nvidia_gpu: Path
) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")
    loaded.run_cell('%runtime_status -r "vram>=15"')
    line, shown = (output["data"]["text/plain"] for output in loaded.display_pub.outputs)

    assert line == NOT_CHECKED
    assert shown.startswith("NVIDIA's library is here")


def test_json_keeps_standard_output_to_itself(
    loaded: InteractiveShell, plug_in: Plug, nvidia_gpu: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")
    loaded.run_cell('%gpu_info -j -r "vram>=15"')
    out, err = capsys.readouterr()

    assert documents.read(out)["schema"] == 2
    assert err == f"{NOT_CHECKED}\n"
    assert loaded.display_pub.outputs == []


@pytest.mark.parametrize("magic", ["gpu_info", "ram_info", "runtime_status"])
def test_json_comes_before_a_requirement_stops_the_cell_and_has_its_verdict(
    magic: str, loaded: InteractiveShell, plug_in: Plug, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4")
    result = loaded.run_cell(f"%{magic} -j -r gpu=A100, python>=3\nprint('not reached')")
    first, *said = capsys.readouterr().out.split("\n")

    assert isinstance(result.error_in_exec, RequirementNotMet)
    asked = documents.read(first)["requirement"]
    assert (asked["met"], asked["clauses"][0]["state"], asked["clauses"][1]["state"]) == (False, "unmet", "met")
    assert said[0] == "Requirement not met: gpu = A100."
    assert "not reached" not in said


def test_json_of_a_requirement_that_is_met_says_so(
    loaded: InteractiveShell, plug_in: Plug, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4")
    assert loaded.run_cell("%gpu_info -j -r gpu=T4").success
    assert documents.read(capsys.readouterr().out)["requirement"]["met"] is True


def test_json_of_a_gpu_that_is_not_there_still_says_what_stops_the_cell(
    loaded: InteractiveShell, plug_in: Plug, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4")
    result = loaded.run_cell("%gpu_info 7 -j -r gpu=A100")
    seen = documents.read(capsys.readouterr().out.split("\n")[0])

    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert (seen["gpus"], seen["unavailable"]["gpus"]["code"]) == ([], "gpu_lost")


def test_what_could_not_be_checked_is_said_in_the_user_s_language(
    loaded: InteractiveShell, plug_in: Plug, nvidia_gpu: Path
) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")
    loaded.run_cell('%config ColabMagics.language = "zh-CN"')
    loaded.run_cell('%gpu_info -q -r "vram>=15"')

    (output,) = loaded.display_pub.outputs
    assert output["data"]["text/plain"] != NOT_CHECKED
    assert "此处有 NVIDIA 的库，但驱动程序的内核模块未加载。" in output["data"]["text/plain"]


def test_a_gpu_that_the_driver_refuses_is_none_and_colab_has_another_machine(
    loaded: InteractiveShell, plug_in: Plug, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TBE_RUNTIME_ADDR", "172.28.0.1:8011")
    plug_in("t4", "fail nvmlDeviceGetHandleByIndex_v2@gpu0 = 999")
    loaded.run_cell("%gpu_info")
    result = loaded.run_cell("%gpu_info -q -r gpu")

    (output,) = loaded.display_pub.outputs
    said, way = "GPU 0 cannot be used: the driver says: unknown error.", "1 Runtime > Disconnect and delete runtime"
    assert said in output["data"]["text/plain"]
    assert way in output["data"]["text/plain"]
    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert said in str(result.error_in_exec)
    assert way in str(result.error_in_exec)


@pytest.mark.parametrize("code", [12, 13])
def test_without_cuda_s_library_no_cuda_is_claimed_and_none_is_checked(
    code: int, loaded: InteractiveShell, plug_in: Plug
) -> None:
    plug_in("t4", f"fail nvmlSystemGetCudaDriverVersion* = {code}")
    loaded.run_cell("%gpu_info")
    assert loaded.run_cell('%gpu_info -q -r "cuda>=12"').success
    shown, line = (output["data"]["text/plain"] for output in loaded.display_pub.outputs)
    why = "CUDA's library (libcuda.so.1) is not found here: no program can use the GPU."

    assert why in " ".join(shown.split())
    assert "cuda:0" not in shown
    assert line == f"Not known, so not checked: cuda >= 12. {why}"


def test_quiet_says_nothing_of_a_requirement_that_holds(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loaded.run_cell("%runtime_status -q -r python>=3.11").success
    assert capsys.readouterr() == ("", "")
    assert loaded.display_pub.outputs == []


@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_one_pair_of_quotes_is_taken_off(quote: str, loaded: InteractiveShell) -> None:
    assert loaded.run_cell(f"%ram_info -q -r {quote}ram>=0.1{quote}").success


def test_a_mistake_in_the_expression_is_one_line_that_points_at_the_place(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    result = loaded.run_cell('%gpu_info -r "vramm>=15"')
    shown = "".join(capsys.readouterr())

    assert isinstance(result.error_in_exec, UsageError)
    assert shown.startswith("UsageError: ")
    assert shown.count("\n") == 1
    assert "vramm" in shown


@pytest.mark.parametrize(
    "line", ["-r gpu={need}", "-r gpu=$need", "-r {need}", '-r "vram>={need}"  #@title x {run: "auto"}']
)
def test_a_variable_that_was_not_put_in_is_a_mistake(line: str, loaded: InteractiveShell) -> None:
    assert isinstance(loaded.run_cell(f"%gpu_info -q {line}").error_in_exec, UsageError)


def test_strict_goes_with_a_requirement(loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    assert type(loaded.run_cell("%gpu_info --strict").error_in_exec) is UsageError
    assert "--strict goes with -r" in "".join(capsys.readouterr())


def test_what_cannot_be_told_passes_unless_strict(loaded: InteractiveShell, plug_in: Plug, nvidia_gpu: Path) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")

    assert loaded.run_cell('%gpu_info -q -r "vram>=15"').success
    assert isinstance(loaded.run_cell('%gpu_info -q -r "vram>=15" --strict').error_in_exec, RequirementNotMet)


def test_a_failure_is_said_in_the_user_s_language(loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    loaded.run_cell('%config ColabMagics.language = "zh-CN"')
    loaded.run_cell("%gpu_info -q -r gpu")

    assert "未满足" in "".join(capsys.readouterr()) or "不满足" in "".join(capsys.readouterr())


def test_the_function_raises_and_prints_nothing(plug_in: Plug, capsys: pytest.CaptureFixture[str]) -> None:
    plug_in("t4")
    colab_magics.require("gpu=T4")
    with pytest.raises(RequirementNotMet, match="A100"):
        colab_magics.require("gpu=A100")
    with pytest.raises(RequirementSyntaxError, match="gpuu"):
        colab_magics.require("gpuu")

    assert capsys.readouterr() == ("", "")


def test_the_function_warns_of_what_it_could_not_check(
    plug_in: Plug, nvidia_gpu: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")
    with pytest.warns(UserWarning, match="not checked") as warned:
        colab_magics.require("vram>=15")
    with pytest.raises(RequirementNotMet, match="not known to be met"):
        colab_magics.require("vram>=15", strict=True)

    (warning,) = warned
    assert str(warning.message) == NOT_CHECKED
    assert warning.filename == __file__
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_the_function_waits_for_a_driver_that_is_starting(plug_in: Plug) -> None:
    plug_in("eight-a100", "slow nvmlInitWithFlags = 4")
    with pytest.raises(RequirementNotMet, match="There is: 8 x NVIDIA A100"):
        colab_magics.require("gpus>=9")


@pytest.mark.parametrize(
    ("expression", "code", "said"), [("gpu=T4", 0, ""), ("gpu=A100", 1, "A100"), ("gpuu=T4", 2, "gpuu")]
)
def test_the_shell_command_tells_by_its_exit_code(
    expression: str, code: int, said: str, tmp_path: Path, plug_in: Plug
) -> None:
    plug_in("t4")
    done = subprocess.run(
        [sys.executable, "-m", "colab_magics", "--require", expression],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    cells = ["%load_ext colab_magics", '%runtime_status -q -r "gpu=A100"', "print('not reached')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


@pytest.mark.slow
def test_a_notebook_that_is_run_whole_stops_at_the_requirement(a_notebook: Any) -> None:
    with pytest.raises(CellExecutionError) as stopped:
        NotebookClient(a_notebook, timeout=60).execute()
    outputs = [cell.outputs for cell in a_notebook.cells]

    assert stopped.value.ename == "RequirementNotMet"
    assert outputs[2] == []
    card, error = outputs[1]
    assert "This notebook needs a GPU: A100." in card.data["text/html"]
    assert "There is: no GPU." in card.data["text/plain"]
    assert error.output_type == "error"
    (line,) = error.traceback
    assert line.startswith("Requirement not met: gpu = A100. There is: no GPU.")


@pytest.mark.slow
def test_a_card_is_shown_where_its_exception_is_and_where_a_page_shows_it(
    open_notebook: Callable[..., Notebook],
) -> None:
    notebook = open_notebook()
    notebook.run("%load_ext colab_magics")
    unmet = "%gpu_info -r python>=99"
    stopped, caught = (
        notebook.run(unmet),
        notebook.run(f"try:\n    {unmet}\nexcept Exception as error:\n    print(error)"),
    )
    captured = notebook.run(f"%%capture\n{unmet}")

    (card,) = stopped.shown
    assert "This notebook needs Python 99 or later." in card["text/html"]
    assert "<ol" in card["text/html"]
    assert card["text/plain"].startswith("Requirement not met: python >= 99.\n")
    assert [line for line in stopped.traceback if "conda create" in line] == stopped.traceback
    assert len(stopped.traceback) == 1
    assert caught.shown == []
    assert "conda create" in caught.streams["stdout"]
    assert captured.shown == []
    assert len(captured.traceback) > 1
