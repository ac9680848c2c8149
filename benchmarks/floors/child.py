"""What `gpu_info()` asks, asked bare: a child that answers one JSON line with another, by the same NVML calls.

Started as `python -I -S child.py FOLDER_OF_PYNVML` it is the child; taken in by a kernel, the side that asks it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from typing import Any

CALLS = (
    ("nvmlDeviceGetTemperature", 0),
    ("nvmlDeviceGetPowerUsage",),
    ("nvmlDeviceGetEnforcedPowerLimit",),
    ("nvmlDeviceGetTotalEnergyConsumption",),
    ("nvmlDeviceGetClockInfo", 0),
    ("nvmlDeviceGetClockInfo", 2),
    ("nvmlDeviceGetCurrentClocksEventReasons",),
    ("nvmlDeviceGetPerformanceState",),
    ("nvmlDeviceGetFanSpeed",),
    ("nvmlDeviceGetEccMode",),
    ("nvmlDeviceGetTotalEccErrors", 1, 0),
    ("nvmlDeviceGetPersistenceMode",),
    ("nvmlDeviceGetMigMode",),
)
"""The calls that give one figure, or two, with what they are called with beside the GPU."""
ONCE = (
    ("nvmlDeviceGetName",),
    ("nvmlDeviceGetCudaComputeCapability",),
    ("nvmlDeviceGetArchitecture",),
    ("nvmlDeviceGetVirtualizationMode",),
)
"""The same for what never changes of a GPU."""


class BareChild:
    """The child, as the side sees it that asks."""

    def __init__(self, folder_of_pynvml: str) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, folder_of_pynvml],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self) -> dict[str, Any]:
        """Ask for the GPUs: one line out, one in."""
        assert self._process.stdin and self._process.stdout  # noqa: S101, PT018
        self._process.stdin.write(b'{"id": 1}\n')
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]

    def close(self) -> None:
        """End it."""
        assert self._process.stdin  # noqa: S101
        self._process.stdin.close()
        self._process.wait()


def _serve() -> None:
    sys.path.append(sys.argv[1])
    import pynvml as nvml

    nvml.nvmlInit()
    driver = (nvml.nvmlSystemGetDriverVersion(), nvml.nvmlSystemGetCudaDriverVersion())
    kept = {}

    def asked(handle: Any, name: str, *more: int) -> Any:
        try:
            return getattr(nvml, name)(handle, *more)
        except nvml.NVMLError:
            return None

    for line in sys.stdin.buffer:
        gpus = []
        for index in range(nvml.nvmlDeviceGetCount()):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            uuid = nvml.nvmlDeviceGetUUID(handle)
            if uuid not in kept:
                kept[uuid] = [nvml.nvmlDeviceGetPciInfo(handle).busId, *(asked(handle, *call) for call in ONCE)]
            memory = nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2)
            use = nvml.nvmlDeviceGetUtilizationRates(handle)
            processes = [
                (process.pid, process.usedGpuMemory)
                for kind in ("Compute", "Graphics", "MPSCompute")
                for process in asked(handle, f"nvmlDeviceGet{kind}RunningProcesses_v3") or ()
            ]
            _, samples = asked(handle, "nvmlDeviceGetSamples", nvml.NVML_GPU_UTILIZATION_SAMPLES, 0) or (None, ())
            busy = [sample.sampleValue.uiVal for sample in samples]
            figures = [*(asked(handle, *call) for call in CALLS), sum(busy) / len(busy) if busy else None]
            size = (memory.total, memory.used, memory.free, memory.reserved)
            gpus.append((uuid, kept[uuid], size, use.gpu, use.memory, figures, processes))
        answer = {"id": json.loads(line)["id"], "driver": driver, "gpus": gpus}
        os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    _serve()
