"""With PyTorch itself, its build for the processor: what tensors hold, and how it says that memory has run out.

It runs in a session of its own (`nox -s tests_torch`): the build is large, and other versions of it are larger still.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from builders import MIB
from colab_magics.exhaustion import recognised
from colab_magics.introspection import class_name
from colab_magics.model.cells import Memory
from colab_magics.probes.blocks import shape
from colab_magics.probes.framework_memory import probe_framework_memory
from colab_magics.probes.frameworks import probe_frameworks
from colab_magics.probes.sizes import Sizes
from notebooks import Notebook


def test_its_errors_have_the_names_that_are_recognised() -> None:
    words = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 14.74 GiB"
    found = recognised(torch.OutOfMemoryError(words))

    assert found is not None
    assert (found.memory, found.error, found.asked_bytes) == (Memory.GPU, "torch.OutOfMemoryError", 2048 * MIB)
    assert torch.cuda.OutOfMemoryError is torch.OutOfMemoryError


def test_its_allocator_for_ram_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    found = recognised(caught.value)

    assert found is not None
    assert (found.memory, found.framework, found.asked_bytes) == (Memory.RAM, "torch", 4 * 10**15)


def test_a_build_for_the_processor_has_no_gpu_s_memory() -> None:
    assert probe_framework_memory() == ()
    assert [one.initialized for one in probe_frameworks() if one.name == "torch"] == [False]


def test_a_storage_is_counted_once_however_many_tensors_share_it() -> None:
    sizes = Sizes(seconds=10)
    tensor = torch.zeros(1024, 2048)

    assert 8 * MIB <= sizes.of(tensor, "tensor").ram_bytes < 9 * MIB
    view = sizes.of(tensor[1:].T, "view")
    assert view.ram_bytes < MIB
    assert view.shares_with == "tensor"
    assert (class_name(type(tensor)), shape(tensor)) == ("torch.Tensor", "float32 1024 x 2048")


def test_a_model_holds_its_parameters_gradients_and_state() -> None:
    model = torch.nn.Linear(1024, 1024)
    model(torch.ones(1, 1024)).sum().backward()
    sizes = Sizes(seconds=10)

    assert 8 * MIB <= sizes.of(model, "model").ram_bytes < 9 * MIB
    state = sizes.of(model.state_dict(), "state")
    assert state.ram_bytes < MIB


def test_an_optimizer_holds_what_it_remembers() -> None:
    model = torch.nn.Linear(1024, 1024)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 1024)).sum().backward()
    optimizer.step()
    sizes = Sizes(seconds=10)
    sizes.of(model, "model")

    assert 8 * MIB <= sizes.of(optimizer, "optimizer").ram_bytes < 9 * MIB


def test_an_error_in_a_kernel_is_explained_by_its_tensors(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    code = (
        "import torch\nweights = torch.zeros(4096, 4096)\n"
        "def train():\n    batch = torch.zeros(1024, 8192)\n    return batch, torch.empty(10**15)\ntrain()"
    )
    (bundle,) = notebook.run(code).shown

    said = " ".join(bundle["text/plain"].split())
    assert said.startswith("The cell has run out of RAM. 3725290.3 GiB asked for,")
    assert "weights 64 MiB torch.Tensor float32 4096 x 4096" in said
    assert "batch in train() 32 MiB torch.Tensor float32 1024 x 8192" in said
    assert "2 del weights" in said
