from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    A100,
    CPU_RUNTIME,
    DISK,
    DRIVER,
    EIGHT_A100,
    GB10,
    JUPYTER,
    KAGGLE,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    SHARED,
    SILENT,
    T4,
    V5E,
    a_ram,
    a_snapshot,
)
from colab_magics.model import Package, Unavailable
from colab_magics.requirement import check, parse
from colab_magics.units import width
from colab_magics.views import verdict
from colab_magics.views.render_options import RenderOptions
from requirements import IN_DOCKER, INSTALLED, SMALL_SHARED
from runtimes import IN_A_CONTAINER

CPU: dict[str, Any] = {**CPU_RUNTIME, "tpus": ()}
DARK: dict[str, Any] = {"gpus": SILENT, "driver": None}
UNTOLD_T4 = replace(T4, memory=None, unavailable=(("memory", "no_permission"),))
NAMELESS = Package(name="x" * 90, is_installed=False, version=None)
HIDDEN_T4 = replace(T4, is_hidden=True, cuda_index=None)
NEW_MACHINE = [
    "This gives you a new machine: variables and files in /content are lost.",
    "Then run again from your first cell (%pip install, %load_ext).",
]


def shown(expression: str, *, strict: bool = False, language: str = "en", **changes: Any) -> list[str]:
    snapshot = a_snapshot(**{"tpus": (), **changes})
    options = RenderOptions(language=language)
    return verdict.render(check(parse(expression), snapshot, strict=strict), snapshot, options).splitlines()


def unchecked(expression: str, *, strict: bool = False, **changes: Any) -> str | None:
    snapshot = a_snapshot(**{"tpus": (), **changes})
    return verdict.unchecked(check(parse(expression), snapshot, strict=strict), snapshot, RenderOptions())


def test_a_t4_where_an_a100_is_wanted() -> None:
    assert shown("gpu=A100, vram>=40") == [
        "Requirement not met: gpu = A100, vram >= 40 GB.",
        "There is: Tesla T4 with 15.0 GiB.",
        "To meet it (paid):  1 Runtime > Change runtime type   2 A100 GPU   3 Save",
        *NEW_MACHINE,
        "A100 GPU: limited, and first come, first served (seen by users, 2026-06-08). If",
        "  you chose one and got another, choose it again later.",
        "Or allow others in the requirement: H100 GPU, G4 GPU would meet the rest of it.",
    ]


def test_another_python_is_another_image() -> None:
    assert shown("python<3.12") == [
        "Requirement not met: python < 3.12.",
        "There is: Python 3.13.15.",
        "To meet it:  1 Runtime > Change runtime type   2 Runtime version   3 2025.07",
        "4 Save",
        *NEW_MACHINE,
    ]
    assert shown("python<3.13", platform=KAGGLE)[2:] == ["Nothing that Kaggle offers is known to meet it."]
    for asked, python in (("python<3.13", "python<3.13"), ("python>=4, python<5", "python>=4,<5")):
        assert f'To meet it:  1 conda create -n other "{python}" ipykernel' in shown(asked, platform=JUPYTER)
    assert not [line for line in shown("python=3.8|3.9", platform=JUPYTER) if "conda" in line]


def test_a_cpu_runtime_where_a_gpu_is_wanted() -> None:
    assert shown("gpu, ram>=10", **CPU) == [
        "Requirement not met: gpu.",
        "There is: no GPU.",
        "To meet it:  1 Runtime > Change runtime type   2 T4 GPU   3 Save",
        *NEW_MACHINE,
    ]


def test_more_ram_of_the_same_accelerator() -> None:
    assert shown("ram>=20") == [
        "Requirement not met: ram >= 20 GB.",
        "There is: 12.7 GiB RAM.",
        "To meet it (Pro, Pro+):  1 Runtime > Change runtime type   2 High-RAM   3 Save",
        *NEW_MACHINE,
    ]


def test_another_accelerator_with_more_ram() -> None:
    assert shown("gpu=T4, ram>=20", **CPU)[2:4] == [
        "To meet it (Pro, Pro+):  1 Runtime > Change runtime type   2 T4 GPU   3 High-RAM",
        "4 Save",
    ]


def test_in_a_container_there_is_as_much_ram_as_it_may_use() -> None:
    assert shown("ram>=20", **{**IN_A_CONTAINER, "tpus": ()})[1] == "There is: 4.0 GiB RAM."


def test_several_accelerators_would_do() -> None:
    assert "2 L4 GPU / A100 GPU / H100 GPU / G4 GPU   3 Save" in shown("bf16, gpu")


def test_an_accelerator_that_colab_no_longer_has() -> None:
    assert shown("gpu=V100") == [
        "Requirement not met: gpu = V100.",
        "There is: Tesla T4 with 15.0 GiB.",
        "Colab no longer has the V100.",
        "Nothing that Colab offers is known to meet it.",
    ]
    assert not [line for line in shown("gpu=V100", platform=KAGGLE) if "no longer" in line]


def test_a_name_that_nobody_knows_is_said_with_what_was_probably_meant() -> None:
    assert shown("gpu=A10G0") == [
        "Requirement not met: gpu = A10G0.",
        "There is: Tesla T4 with 15.0 GiB.",
        '"A10G0" is no name that colab_magics knows: did you mean gpu=A100?',
        "Nothing that Colab offers is known to meet it.",
    ]
    assert shown("gpu=RTX 4090|v5e-1|V100")[2:4] == [
        'Colab no longer has the V100. "RTX 4090" is no name that colab_magics knows.',
        '"v5e-1" is no name that colab_magics knows: did you mean tpu=v5e-1?',
    ]
    assert not [line for line in shown("gpu=A10G0|A100", gpus=(A100,)) if "A10G0" in line]


def test_packages_are_to_be_installed() -> None:
    assert shown("torch>=2.5, scikit_learn, gpu", packages=INSTALLED) == [
        "Requirement not met: torch >= 2.5, scikit-learn.",
        "There is: torch 2.4.1+cu121. Not installed: scikit-learn.",
        'To meet it:  1 %pip install "torch>=2.5" "scikit-learn"',
        "2 restart the kernel, if it was imported before",
    ]
    assert shown("scikit-learn>=1.5", packages=INSTALLED)[1] == "Not installed: scikit-learn."


def test_another_machine_and_packages_are_said_each_for_what_it_helps() -> None:
    assert shown("gpu=A100, torch>=2.5", packages=INSTALLED) == [
        "Requirement not met: gpu = A100, torch >= 2.5.",
        "There is: Tesla T4 with 15.0 GiB, torch 2.4.1+cu121.",
        "To meet it (paid):  1 Runtime > Change runtime type   2 A100 GPU   3 Save",
        *NEW_MACHINE,
        "A100 GPU: limited, and first come, first served (seen by users, 2026-06-08). If",
        "  you chose one and got another, choose it again later.",
        "Or allow others in the requirement: H100 GPU, G4 GPU would meet the rest of it.",
        'To meet it:  1 %pip install "torch>=2.5"',
        "2 restart the kernel, if it was imported before",
    ]
    assert shown("gpu=V100, torch>=2.5", packages=INSTALLED)[-1] == "Nothing that Colab offers is known to meet it."


def test_packages_of_which_nothing_is_known_are_named_with_the_reason() -> None:
    assert unchecked("jax_cuda12_plugin>=0.5", packages=INSTALLED) == (
        "Not known, so not checked: jax-cuda12-plugin >= 0.5. What is installed of jax-cuda12-plugin does not tell its"
        " version."
    )
    assert unchecked("torch", packages=Unavailable(code="unreadable", values=(("error", "OSError"),))) == (
        "Not known, so not checked: torch. It could not be read (OSError)."
    )


def test_cores_driver_and_shared_memory_are_told() -> None:
    assert shown("cores>=8, driver>=600, shm>=16", disks=(DISK, SHARED)) == [
        "Requirement not met: cores >= 8, driver >= 600, shm >= 16 GB.",
        "There is: 2 cores, NVIDIA driver 580.82.07, 5.7 GiB of shared memory free.",
        "Nothing that Colab offers is known to meet it.",
    ]
    assert shown("driver>=550", **CPU)[1:] == [
        "There is: no NVIDIA driver.",
        "Nothing that Colab offers is known to meet it.",
    ]
    assert shown("driver>=550", **DARK, platform=JUPYTER) == [
        "Not known, so not checked: driver >= 550.",
        "The NVIDIA driver did not answer within 3 s.",
    ]
    assert unchecked("cores>=8", cpu=Unavailable(code="unreadable", values=(("error", "OSError"),))) == (
        "Not known, so not checked: cores >= 8. It could not be read (OSError)."
    )
    assert unchecked("shm>=1") == "Not known, so not checked: shm >= 1 GB. /dev/shm is no file system of its own here."


def test_shared_memory_is_to_be_made_room_in_or_given() -> None:
    full = replace(SHARED, free_bytes=0)

    assert shown("shm>=2", disks=(DISK, full))[2] == "To make room:  1 ls -lh /dev/shm shows what lies there"
    assert shown("shm>=2", disks=(DISK, SMALL_SHARED), platform=IN_DOCKER)[2:] == [
        "To get more shared memory:  1 start the container with docker run --shm-size=8g,",
        "  or --ipc=host   2 or use fewer DataLoader workers (num_workers)",
    ]


def test_on_kaggle() -> None:
    assert shown("gpus>=2", **CPU, platform=KAGGLE) == [
        "Requirement not met: gpus >= 2.",
        "There is: no GPU.",
        "To meet it:  1 Settings > Accelerator   2 GPU T4 x2   3 confirm in the dialog",
        "Then run again from your first cell.",
    ]
    assert shown("gpu=A100", **CPU, platform=KAGGLE)[-1] == "Nothing that Kaggle offers is known to meet it."


def test_on_a_machine_of_one_s_own() -> None:
    assert shown("gpu", **CPU, platform=JUPYTER) == [
        "Requirement not met: gpu.",
        "There is: no GPU.",
        "To use a GPU: run this on a machine that has one; nvidia-smi must list it.",
    ]
    assert shown("ram>=200, python>=3.14, tpu, cuda>=12", **CPU, platform=JUPYTER)[1:] == [
        "There is: 12.7 GiB RAM, Python 3.13.15, no TPU, no CUDA driver.",
        "To meet it: run this on a machine that has what is required.",
    ]


def test_what_is_not_known_is_named_with_its_reason() -> None:
    assert shown("vram>=15", **DARK, platform=JUPYTER) == [
        "Not known, so not checked: vram >= 15 GB.",
        "The NVIDIA driver did not answer within 3 s.",
    ]
    assert shown("vram>=15", **DARK, strict=True) == [
        "Requirement not known to be met: vram >= 15 GB.",
        "The NVIDIA driver did not answer within 3 s.",
        "To get another machine:  1 Runtime > Disconnect and delete runtime   2 Reconnect",
        *NEW_MACHINE,
    ]
    assert shown("vram>=15, ram>=20", **DARK)[:3] == [
        "Requirement not met: ram >= 20 GB.",
        "There is: 12.7 GiB RAM.",
        "Not known: vram >= 15 GB. The NVIDIA driver did not answer within 3 s.",
    ]
    assert shown("vram>=15", gpus=(UNTOLD_T4,), strict=True) == [
        "Requirement not known to be met: vram >= 15 GB.",
        "The NVIDIA driver does not tell: no permission.",
    ]


def test_what_could_not_be_checked_is_one_line_with_its_reason() -> None:
    silent = "The NVIDIA driver did not answer within 3 s."

    assert unchecked("gpu, vram>=15, ram>=1", **DARK) == f"Not known, so not checked: gpu, vram >= 15 GB. {silent}"
    assert unchecked("vram>=15", gpus=(UNTOLD_T4,)) == (
        "Not known, so not checked: vram >= 15 GB. The NVIDIA driver does not tell: no permission."
    )
    assert unchecked("disk>=1", disks=Unavailable(code="unreadable", values=(("error", "OSError"),))) == (
        "Not known, so not checked: disk >= 1 GB. It could not be read (OSError)."
    )


def test_where_all_was_checked_or_it_is_not_met_there_is_no_such_line() -> None:
    assert unchecked("gpu, ram>=1") is None
    assert unchecked("gpu, ram>=20", **DARK) is None
    assert unchecked("gpu", strict=True, **DARK) is None


def test_without_cuda_s_library_it_is_said_why_nothing_is_known_of_cuda() -> None:
    missing = {"driver": replace(DRIVER, cuda_version=None, has_cuda_library=False), "platform": JUPYTER}
    why = "CUDA's library (libcuda.so.1) is not found here: no program can use the GPU."

    assert unchecked("cuda>=12", **missing) == f"Not known, so not checked: cuda >= 12. {why}"
    assert unchecked("gpu=T4, ram>=1", **missing) == f"Not known, so not checked: gpu = T4. {why}"
    assert shown("cuda>=12", strict=True, **missing) == [
        "Requirement not known to be met: cuda >= 12.",
        why,
        "To use the GPU:  1 start the container with",
        "  NVIDIA_DRIVER_CAPABILITIES=compute,utility",
        "2 or run ldconfig, where the driver's libraries are here",
    ]


def test_a_gpu_that_cannot_be_used_is_none_and_is_said_with_what_mends_it() -> None:
    refused = replace(T4, name=None, cuda_index=None, fault="driver_unknown_error")
    another_machine = "To get another machine:  1 Runtime > Disconnect and delete runtime   2 Reconnect"

    assert shown("gpu", gpus=(refused,)) == [
        "Requirement not met: gpu.",
        "There is: no GPU. GPU 0 cannot be used: the driver says: unknown error.",
        another_machine,
        *NEW_MACHINE,
    ]
    assert shown("gpus>=2", gpus=(T4, replace(refused, index=1, fault="gpu_lost")))[1:4] == [
        "There is: Tesla T4 with 15.0 GiB.",
        "GPU 1 is lost: no restart of the kernel brings it back.",
        another_machine,
    ]
    assert "GPU 0" not in "".join(shown("ram>=20", gpus=(refused,)))


def test_what_is_met_is_said_in_one_line() -> None:
    assert shown("gpu") == ["Requirement met."]


def test_a_hidden_gpu_is_to_be_shown() -> None:
    assert shown("gpu", gpus=(HIDDEN_T4,)) == [
        "Requirement not met: gpu.",
        "There is: no GPU. CUDA_VISIBLE_DEVICES hides a GPU that would do.",
        "To use the GPU:  1 take CUDA_VISIBLE_DEVICES out of the environment",
        "2 restart the kernel",
    ]


def test_room_is_to_be_made() -> None:
    assert shown("disk>=78, ram_free>=12") == [
        "Requirement not met: disk >= 78 GB, ram_free >= 12 GB.",
        "There is: 69.6 GiB of disk free, 8.1 GiB of RAM free.",
        "To make room:  1 !du -h -d 1 /content shows what to delete or move to Drive",
        "2 Drive's cache: drive.flush_and_unmount(), only then !rm -rf",
        "  ~/.config/Google/DriveFS",
        "3 or take another accelerator: some come with a larger disk",
        "About 33 to 47 GiB are Colab's own, from the start (seen by users, 2026-11-26).",
        "To make room:  1 del what you no longer need   2 or restart the kernel",
        "Restarting the kernel loses its variables; files stay.",
    ]
    assert "There is: Tesla T4 with 15.0 GiB, 14.2 GiB free." in shown("vram_free>=15.5")
    assert shown("vram_free>=9", gpus=(GB10,))[1:3] == [
        "There is: NVIDIA GB10 with the machine's RAM, 8.1 GiB free.",
        "To make room:  1 del what you no longer need   2 or restart the kernel",
    ]


def test_gpus_that_meet_it_only_together() -> None:
    assert shown("gpu=T4, vram>=40", gpus=(T4, A100))[1:3] == [
        "There is: Tesla T4 with 15.0 GiB, NVIDIA A100-SXM4-40GB with 40.0 GiB.",
        "No one GPU meets all of it.",
    ]


def test_gpus_that_are_alike_are_said_once() -> None:
    assert shown("gpus>=9, cc>=8", gpus=EIGHT_A100)[1] == ("There is: 8 x NVIDIA A100-SXM4-40GB with 40.0 GiB.")


def test_a_tpu_is_called_by_its_name() -> None:
    assert shown("tpu=v6e-1", **{**CPU, "tpus": (V5E, V5E)})[1] == "There is: a v5e-1 TPU."


def test_what_is_there_comes_out_of_the_machine_as_letters_only() -> None:
    hostile = "\x1b]0;owned\x07<b>A100\u202e{0}\n"
    text = shown("gpu=L4|tpu", gpus=(replace(T4, name=hostile),), tpus=(replace(V5E, accelerator_type=hostile),))
    text += shown("tpu=v6e, gpu=L4", gpus=(replace(T4, name=hostile),), tpus=(replace(V5E, accelerator_type=hostile),))

    assert all(line.isprintable() for line in text)
    assert any("\\x1b]0;owned\\x07<b>A100\\u202e{0}\\n" in line for line in text)


def test_menus_are_quoted_in_the_reader_s_language() -> None:
    text = "".join(shown("gpu=A100", language="zh-CN"))

    assert "更改运行时类型" in text
    assert "Change runtime type" in text


EXPRESSIONS = st.lists(
    st.sampled_from(
        [
            "gpu", "gpu=A100|L4", "gpu=V100|K80|P100", "tpu", "tpu=v6e-1", "vram>=40", "vram_free>=20", "ram>=30",
            "ram_free>=12", "disk>=100000", "cc>=9.0", "cuda>=13.5", "python>=3.14", "bf16", "gpus>=9",
            "gpu=" + "x" * 200, "gpu=A10G0 or T44", "cores>=64", "driver>=999", "shm>=2", "torch>=9", "scikit-learn",
            "jax-cuda12-plugin>=1", "x" * 90 + ">=1.2.3.4",
        ]
    ),
    min_size=1,
).map(", ".join)  # fmt: skip
MACHINES = st.sampled_from(
    [
        {}, CPU, DARK, NOTHING_AVAILABLE, {"gpus": EIGHT_A100, "ram": a_ram(1000.0)}, {"gpus": (MIG_IN_A_CONTAINER,)},
        {"gpus": (MUTE_GPU, GB10, HIDDEN_T4, T4, A100)}, {"driver": replace(DRIVER, has_cuda_library=False)},
        {"gpus": (replace(MUTE_GPU, fault="driver_unknown_error"),)}, {"gpus": Unavailable(code="gpu_not_given")},
        {"gpus": (replace(T4, name="n" * 300),)},
        {**CPU, "platform": KAGGLE}, {**CPU, "platform": JUPYTER}, {**CPU, "tpus": (V5E,)},
        {"packages": INSTALLED, "disks": (DISK, SHARED)}, {**CPU, "packages": (NAMELESS,), "platform": JUPYTER},
        {"packages": INSTALLED, "disks": (DISK, SMALL_SHARED), "platform": IN_DOCKER},
    ]
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=100, database=None)
@given(EXPRESSIONS, MACHINES, st.booleans(), st.sampled_from(["en", "zh-CN", "ja", "fr"]))
def test_no_text_is_wider_than_80_columns(
    expression: str, machine: dict[str, Any], strict: bool, language: str
) -> None:
    text = shown(expression, strict=strict, language=language, **machine)

    assert text
    assert all(line.strip() and width(line) <= 80 for line in text), text


def card(expression: str, *, strict: bool = False, language: str = "en", **changes: Any) -> str:
    snapshot = a_snapshot(**{"tpus": (), **changes})
    asked = check(parse(expression), snapshot, strict=strict)
    return re.sub(
        r"<style>.*?</style>", "", verdict.card(asked, snapshot, RenderOptions(language=language)), flags=re.DOTALL
    )


def test_the_card_says_what_the_notebook_needs_what_is_there_and_what_to_click() -> None:
    assert card("gpu=T4|L4|A100, vram>=15GB", **CPU) == (
        '<div class="colab-magics" lang="en"><div class="cm-found error">'
        '<p class="cm-said">This notebook needs a GPU: T4, L4 or A100, at least 15 GB of GPU memory.</p>'
        "<p>There is: no GPU.</p><p>To meet it:</p>"
        '<ol class="cm-steps"><li>Runtime &gt; Change runtime type</li><li>T4 GPU</li><li>Save</li></ol>'
        '<p class="cm-cost">This gives you a new machine: variables and files in /content are lost.'
        " Then run again from your first cell (%pip install, %load_ext).</p>"
        "</div></div>"
    )


def test_the_card_says_what_the_text_says() -> None:
    for expression, changes in (("gpu=K80", CPU), ("vram>=15", DARK), ("torch>=9, ram>=500", {}), ("vram>=90", {})):
        words = html_to_words(card(expression, strict=True, **changes))
        lines = shown(expression, strict=True, **changes)
        for line in lines[1:]:
            for piece in re.split(r"\s{2,}\d |\s+\d (?=[A-Z])", line.strip()):
                assert re.sub(r"^\d ", "", piece.strip()) in words, (expression, piece)


def html_to_words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_what_a_requirement_names_stays_text_in_its_card() -> None:
    hostile = replace(T4, name="<script>alert(1)</script>")

    assert "<script" not in card("gpu=A100", gpus=(hostile,))


def test_beside_the_card_one_line_says_what_is_asked_what_is_there_and_the_way() -> None:
    snapshot = a_snapshot(tpus=(), **CPU_RUNTIME)
    asked = check(parse("gpu=T4"), snapshot)

    assert verdict.in_one_line(asked, snapshot) == (
        "Requirement not met: gpu = T4. There is: no GPU. "
        "To meet it: 1 Runtime > Change runtime type   2 T4 GPU   3 Save"
    )
