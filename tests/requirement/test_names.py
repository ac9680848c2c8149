from __future__ import annotations

import pytest

from colab_magics.requirement.names import condition, is_called, is_known, likely, words


def test_names_are_compared_by_their_words_in_one_case() -> None:
    assert words("NVIDIA A100-SXM4-40GB") == ["nvidia", "a100", "sxm4", "40gb"]
    assert words("--") == []
    assert is_called("a100 40gb", ["Tesla T4", "NVIDIA A100-SXM4-40GB"])
    assert not is_called("L4", ["NVIDIA L40S"])


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("gpu", "T4", True),
        ("gpu", "tesla t4", True),
        ("gpu", "G4", True),
        ("gpu", "A100-80GB", True),
        ("gpu", "K80", True),
        ("gpu", "P100", True),
        ("gpu", "A10G", False),
        ("gpu", "v5e-1", False),
        ("tpu", "v5e-8", True),
        ("tpu", "v2-8", True),
        ("tpu", "v4", True),
        ("tpu", "v9", False),
    ],
)
def test_the_tables_know_names_of_now_and_of_once(kind: str, name: str, expected: bool) -> None:
    assert is_known(kind, name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("T4", "gpu=T4"),
        ("v5e-1", "tpu=v5e-1"),
        ("NVIDIA L4", "gpu=NVIDIA L4"),
        ("torch", None),
        ("NVIDIA", None),
        ("server", None),
        ("", None),
        ("--", None),
    ],
)
def test_an_accelerator_s_name_is_a_condition(name: str, expected: str | None) -> None:
    assert condition(name) == expected


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("gpu", "A10G0", "gpu=A100"),
        ("gpu", "A1OO", "gpu=A100"),
        ("gpu", "a-100", "gpu=A100"),
        ("gpu", "T40", "gpu=T4"),
        ("gpu", "V10", "gpu=V100"),
        ("gpu", "v5e-1", "tpu=v5e-1"),
        ("tpu", "T4", "gpu=T4"),
        ("tpu", "v5e1", "tpu=v5e-1"),
        ("gpu", "RTX 4090", None),
        ("gpu", "L40S", None),
        ("gpu", "A100" * 20, None),
    ],
)
def test_what_is_nearly_a_name_was_probably_meant(kind: str, name: str, expected: str | None) -> None:
    assert likely(kind, name) == expected
