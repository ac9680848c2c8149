from __future__ import annotations

import pytest

from colab_magics.model import KEYS
from colab_magics.requirement import parse
from colab_magics.requirement.completion import completions

GPUS = ["T4", "L4", "A100", "H100", "G4"]
TPUS = ["v5e-1", "v6e-1"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("", [*KEYS], id="nothing yet"),
        pytest.param("vr", [*KEYS], id="a key that is begun"),
        pytest.param("gpu=A100, ", [*KEYS], id="the next clause"),
        pytest.param("gpu|", [*KEYS], id="the next term"),
        pytest.param("gpu=", GPUS, id="a GPU's name"),
        pytest.param("GPU = ", GPUS, id="in whatever case"),
        pytest.param("gpu!=", [], id="a name that is not wanted"),
        pytest.param("gpu=A100|", GPUS, id="another name"),
        pytest.param("ram>=20,gpu=", GPUS, id="in a later clause"),
        pytest.param("tpu=", TPUS, id="a TPU's name"),
        pytest.param("vram>=", [], id="a size"),
        pytest.param("gpus>=", [], id="a number"),
        pytest.param("gpu==", GPUS, id="in another spelling"),
        pytest.param("gpu=A100 or ", GPUS, id="another name, after a word"),
        pytest.param("gpu=A100 OR L", GPUS, id="that is begun"),
        pytest.param("gpu=A100, or ", GPUS, id="after a comma and a word"),
        pytest.param("gpu=A100 and ", [*KEYS], id="the next clause, after a word"),
        pytest.param("gpu or ", [*KEYS], id="the next term, after a word"),
        pytest.param("gpu=A100 and tpu=", TPUS, id="a name in a clause after a word"),
        pytest.param("vram>=15 or gpu=", GPUS, id="a name in a later term"),
        pytest.param("torch>=", [], id="a package's version"),
    ],
)
def test_what_may_come_next_is_offered(typed: str, expected: list[str]) -> None:
    assert completions(typed) == expected


def test_what_is_offered_can_be_read() -> None:
    for name in completions("gpu="):
        assert str(parse(f"gpu={name}")) == f"gpu = {name}"
    for name in completions("tpu="):
        assert str(parse(f"tpu={name}")) == f"tpu = {name}"
