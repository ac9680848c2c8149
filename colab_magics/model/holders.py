"""Who holds memory: variables, what IPython and the last error keep beside them, and what there is on a GPU."""

from __future__ import annotations

import enum

from colab_magics.values import Value


class Keeper(enum.StrEnum):
    """What keeps a thing in memory."""

    VARIABLE = "variable"
    """A variable of the user's."""
    OUTPUT = "output"
    """The result of a cell: `Out[3]`, and `_`, `__`, `___`."""
    INPUT = "input"
    """The text of the cells: `In`, `_i`, `_i3`."""
    HIDDEN = "hidden"
    """What IPython notes of names that are not the user's; a result stays there after `%reset -f out`."""
    ERROR = "error"
    """A local variable of a function that the last error came through, kept for `%debug`."""


class OnDevice(Value):
    """Memory on a device other than this machine's processor."""

    device: str
    """As its library names it: "cuda:0"."""
    size_bytes: int
    """How much."""


class Holder(Value):
    """Something that holds memory, without what one before it holds too: views share the memory of their base."""

    keeper: Keeper
    """What keeps it."""
    name: str
    """As code would write it ("frame", "Out[3]"), or for a local variable "batch in train()"; from outside."""
    type_name: str
    """Its class, such as "numpy.ndarray"; from outside."""
    shape: str | None
    """Of an array, with the type of its elements: "float64 1000 x 1000"; None for all else."""
    ram_bytes: int
    """What it holds of this process's memory."""
    devices: tuple[OnDevice, ...]
    """What it holds elsewhere."""
    is_at_least: bool
    """Whether there was no time to look through all of it."""
    shares_with: str | None
    """The name of the holder that its memory is counted for, where it has none that is its own."""

    @property
    def device_bytes(self) -> int:
        """What it holds elsewhere, in all."""
        return sum(there.size_bytes for there in self.devices)


class Deletion(Value):
    """What lets go of a variable's memory, unless something else has it among its own things."""

    names: tuple[str, ...]
    """The variable to delete, and those that share its memory; from outside, and names that code can write."""
    is_kept_elsewhere: bool
    """Whether IPython or the last error keeps it too: then it takes `%ram_info -f` beside that."""


class Holders(Value):
    """Who holds memory in this process, each piece counted once, for the first that has it."""

    largest: tuple[Holder, ...]
    """Those that hold most, the largest first; none that holds next to nothing."""
    looked_at: int
    """How many variables and hidden holders there are in all."""
    ram_bytes: int
    """What all of them hold of this process's memory."""
    is_at_least: bool
    """Whether there was no time to look through all."""
    traceback_bytes: int
    """The part that the last error alone keeps, until the next one or `%ram_info -f`."""
    hidden_bytes: int
    """The part that no variable holds: what IPython and the last error keep, `traceback_bytes` among it."""
    deletion: Deletion | None
    """What lets go of the largest variable; None where no variable holds much, or code could not write its name."""


class Cache(Value):
    """What a framework kept on a GPU for later, before and after it was asked to let go of that."""

    framework: str
    """Its package's name: "torch", "cupy"."""
    device: int
    """CUDA's number of the GPU in this process."""
    reserved_before_bytes: int
    """What it had taken from the driver."""
    reserved_after_bytes: int
    """What it has still: what is in use."""


class Release(Value):
    """What was let go of, and what came of it."""

    let_go: tuple[Holder, ...]
    """What held most of the memory, the largest first."""
    let_go_bytes: int
    """What all of it held of this process's memory: what a variable holds too is not among it."""
    results: int
    """How many results there were, `Out[3]` and `_3` once; they are gone."""
    has_dropped_error: bool
    """Whether there was a last error; `%debug` and `%tb` know nothing of it any more."""
    error_kept_by: str | None
    """The variable that is the last error, so that this was left as it is; from outside."""
    ram_before_bytes: int | None
    """What this kernel held; None where that cannot be told."""
    ram_after_bytes: int | None
    """What it holds now."""
    caches: tuple[Cache, ...]
    """The caches of the frameworks that have opened a GPU here and could be asked."""
    failed: tuple[str, ...]
    """What could not be let go of: "look", "results", "error", "torch", "cupy", "pyarrow", "system"."""


class FrameworkMemory(Value):
    """What a framework that has opened a GPU tells of its memory there; None where it does not tell."""

    framework: str
    """Its package's name: "torch", "jax", "tensorflow", "cupy"."""
    device: int
    """CUDA's number of the GPU in this process."""
    allocated_bytes: int | None
    """What tensors and arrays take now."""
    reserved_bytes: int | None
    """What it has taken from the driver: what is allocated, and what it keeps for later (its cache)."""
    peak_bytes: int | None
    """The most that has been allocated since it began, or since somebody reset that."""
    uuid: str | None = None
    """The driver's name for the GPU, as in `Gpu`, where the framework tells it: certain where CUDA's number is not."""

    @property
    def cached_bytes(self) -> int | None:
        """What it keeps for later: what it has taken, and has not allocated."""
        if self.reserved_bytes is None or self.allocated_bytes is None:
            return None
        return self.reserved_bytes - self.allocated_bytes


class GpuShares(Value):
    """A GPU's memory, or a MIG device's, by who has it. None: cannot be told, with the reason in `unavailable`.

    What the parts are that are told, they and `untold_bytes` make up `total_bytes`.
    """

    index: int | None
    """The GPU's number, NVML's; None where it cannot be told which one the frameworks mean."""
    slice_index: int | None
    """The slot of the MIG device on it; None for a whole GPU."""
    total_bytes: int | None
    """All there is."""
    frameworks: tuple[FrameworkMemory, ...]
    """What this kernel's frameworks have there."""
    context_bytes: int | None
    """What this kernel has there beside that: CUDA's own part, libraries, kernels."""
    other_processes_bytes: int | None
    """What other processes have there."""
    untold_bytes: int | None
    """What is used beside all that is told here: where the driver does not say which process is this kernel, its
    context and what other processes have."""
    driver_bytes: int | None
    """The driver's share."""
    free_bytes: int | None
    """What nobody has."""
    unavailable: tuple[tuple[str, str], ...] = ()
    """(field, reason) for each field that is None, and for frameworks whose figures cannot be."""

    @property
    def cached_bytes(self) -> int:
        """What the frameworks keep for later, as far as they tell: they can give it back."""
        return sum(one.cached_bytes or 0 for one in self.frameworks)
