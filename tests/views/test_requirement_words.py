from __future__ import annotations

import pytest

from colab_magics.model import ClauseVerdict, State
from colab_magics.requirement import parse
from colab_magics.translation import translator
from colab_magics.views import requirement_words

ENGLISH = translator("en")


def words(expression: str, language: str = "en") -> str:
    requirement = parse(expression, is_installed=lambda _name: True)
    clauses = [ClauseVerdict(expression=str(one), state=State.UNMET, found=()) for one in requirement.clauses]
    return requirement_words.needs(clauses, translator(language))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("gpu", "a GPU"),
        ("tpu", "a TPU"),
        ("bf16", "a GPU with bfloat16"),
        ("gpu=T4|L4|A100, vram>=15GB", "a GPU: T4, L4 or A100, at least 15 GB of GPU memory"),
        ("gpu!=K80", "a GPU other than K80"),
        ("gpus>=2", "at least 2 GPUs"),
        ("ram>20, ram_free>=2", "more than 20 GB of RAM, at least 2 GB of free RAM"),
        ("disk>=50GiB, shm>=1GiB", "at least 50 GiB of free disk, at least 1 GiB of free shared memory"),
        ("cores>=4", "at least 4 processor cores"),
        ("cc>=8.0 or vram>=24GB", "compute capability of at least 8.0 or at least 24 GB of GPU memory"),
        ("python<3.13, cuda>=12", "Python before 3.13, CUDA 12 or later"),
        ("torch>=2.4, numpy", "torch 2.4 or later, numpy"),
        ("gpu=T4 or tpu=v5e", "a GPU: T4 or a TPU: v5e"),
    ],
)
def test_an_expression_is_said_in_words(expression: str, expected: str) -> None:
    assert words(expression) == expected


def test_words_are_said_in_the_reader_s_language() -> None:
    assert words("gpu=T4|L4, vram>=15GB", "zh-CN") == "GPU：T4或 L4，至少 15 GB 显存"


@pytest.mark.parametrize("operator", [">=", ">", "<=", "<", "=", "!="])
@pytest.mark.parametrize("key", ["cc", "cores", "cuda", "disk", "driver", "gpus", "python", "ram", "vram", "torch"])
def test_every_key_is_said_with_every_operator(key: str, operator: str) -> None:
    said = words(f"{key}{operator}8")

    assert "8" in said
    assert "{" not in said
    assert operator not in said
