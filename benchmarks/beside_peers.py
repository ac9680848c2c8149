"""What a terminal shows of 0, 1, 8 and 64 GPUs: colab_magics beside gpustat and nvitop, one picture for each number.

All three meet the same fake driver, in a pseudo-terminal with colours; what they write there becomes a page, and the
Chromium that is there takes its picture. Run by hand; the pictures are for looking at.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from measured import ROOT
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(ROOT / "tests"))

from browser.conftest import SWITCHES, chromium
from browser.terminal import Written, as_html, run_in_a_terminal
from fake_nvml import FakeDriver, no_driver_environment

COLUMNS = 80
BUSY = {
    "t4": ("gpu0.memory_used = 9663676416", "gpu0.utilization_gpu = 87", "gpu0.temperature = 71"),
    "eight-a100": ("gpu3.memory_used = 16106127360", "gpu3.utilization_gpu = 98", "gpu3.temperature = 71"),
    "64-gpus": ("gpu3.memory_used = 16106127360", "gpu3.utilization_gpu = 98", "gpu3.temperature = 71"),
}
"""What there is to see: one GPU is busy."""
PROFILES = {0: None, 1: "t4", 8: "eight-a100", 64: "64-gpus"}
PEER = """
import runpy, sys
import contestants
contestants.complete_the_driver()
sys.argv = {argv}
runpy.run_module(sys.argv[0], run_name="__main__")
"""
PROGRAMS = {
    "colab-magics gpu": ("-m", "colab_magics", "gpu"),
    "gpustat": ("-c", PEER.format(argv=["gpustat", "--force-color"])),
    "nvitop --once": ("-c", PEER.format(argv=["nvitop", "--once", "--colorful"])),
}


def what_they_write(profile: str | None, folder: Path) -> dict[str, Written]:
    """Run each program in a terminal, on a machine with this fake driver or with none."""
    environment = no_driver_environment()
    if profile is not None:
        driver = FakeDriver(folder, profile)
        driver.set(*BUSY[profile])
        environment = driver.environment()
    paths = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests")])
    environment |= {"PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"}
    return {
        name: run_in_a_terminal(sys.executable, *arguments, columns=COLUMNS, environment=environment)
        for name, arguments in PROGRAMS.items()
    }


def main() -> None:
    """Write one picture for each number of GPUs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    into: Path = parser.parse_args().folder
    into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as drivers:
        browser = playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        page = browser.new_page(viewport={"width": 2400, "height": 400})
        for gpus, profile in PROFILES.items():
            page.set_content(as_html(what_they_write(profile, Path(drivers) / str(gpus))))
            file = into / f"{gpus}-gpus.png"
            page.locator("body").screenshot(path=file)
            print(file)
        browser.close()


if __name__ == "__main__":
    main()
