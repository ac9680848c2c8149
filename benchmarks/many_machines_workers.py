"""A scheduler of Dask's, and so many workers on addresses of their own: `many_machines_workers.py NUMBER FOLDER`.

It prints the scheduler's address. The workers answer by a report of a machine with eight GPUs, which is made once, by
the tests' fake driver, and lies in the folder.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import distributed

from colab_magics.clusters import node
from colab_magics.clusters.status import COMPARED

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from fake_nvml import FakeDriver

_PER_NETWORK = 250


async def main(number: int, folder: Path) -> None:
    """Run them until this process is ended."""
    (folder / "driver").mkdir()
    os.environ |= FakeDriver(folder / "driver", "a100").environment()
    answer = node.answer({"packages": COMPARED, "driver_deadline_seconds": 10.0})
    node.answer = lambda request: answer  # noqa: ARG005 - as it is called
    (folder / "answer").write_bytes(answer["report"])
    module: Any = ModuleType("many_machines_answer")
    module.ANSWER = answer
    sys.modules["many_machines_answer"] = module
    logging.getLogger("distributed").setLevel(logging.ERROR)
    async with distributed.Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        for index in range(number):
            host = f"127.0.{index // _PER_NETWORK}.{index % _PER_NETWORK + 2}"
            await distributed.Worker(scheduler.address, host=host, nthreads=1, dashboard=False)
        print(scheduler.address, flush=True)
        await scheduler.finished()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
