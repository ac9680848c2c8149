"""The build's own steps: pack what git tracks, and compile the catalogues and the tables of facts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
import zlib
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TABLES = "colab_magics/facts"
"""Where the tables of facts lie; `compiled` in it is a package of what this builds of them."""


class Packing(BuildHookInterface[Any]):
    """Keeps out what git does not track; puts a .mo into the wheel for every .po, a module for every table of facts.

    An editable installation gets the .mo beside the .po, and reads the tables themselves.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Choose the files, and compile the catalogues before the wheel is packed."""
        root = Path(self.root)
        settings: dict[str, Any] = self.build_config.target_config
        left_out = untracked(root)
        settings["exclude"] = [*settings.get("exclude", ()), *map(pattern_of, left_out)]
        if self.target_name == "wheel":
            self.compiled = tempfile.TemporaryDirectory()
            self.compile_catalogues(root, version, build_data)
            if version != "editable":
                tables = [
                    table for table in sorted(root.glob(f"{TABLES}/*.toml")) if f"{TABLES}/{table.name}" not in left_out
                ]
                self.compile_tables(tables, build_data)

    def compile_catalogues(self, root: Path, version: str, build_data: dict[str, Any]) -> None:
        """Compile the catalogues, outside the sources: these may be read-only, or hold an old one."""
        for source in sorted(root.glob("colab_magics/locale/*/LC_MESSAGES/*.po")):
            packed = source.with_suffix(".mo").relative_to(root)
            folder = root if version == "editable" else Path(self.compiled.name)
            target = folder / packed
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as translated, target.open("wb") as compiled:
                write_mo(compiled, read_po(translated))
            if version != "editable":
                build_data["force_include"][str(target)] = packed.as_posix()

    def compile_tables(self, tables: list[Path], build_data: dict[str, Any]) -> None:
        """Write each table of facts as a module, which Python reads ten times as fast as TOML."""
        modules = {table.stem: as_module(table.read_bytes()) for table in tables}
        modules["__init__"] = '"""The tables of facts as modules, made from the TOML when this was built."""\n'
        for name, text in modules.items():
            target = Path(self.compiled.name, f"{name}.py")
            target.write_text(text, encoding="utf-8")
            build_data["force_include"][str(target)] = f"{TABLES}/compiled/{name}.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take away what was compiled for the wheel."""
        if self.target_name == "wheel":
            self.compiled.cleanup()


def as_module(table: bytes) -> str:
    """Return a table of facts as a module, with a checksum of its TOML: `facts.loader` takes it only for that TOML."""
    lines = [
        '"""A table of facts, made from the TOML of its name; that is what to edit."""',
        "import datetime",
        f"CHECKSUM = {zlib.crc32(table)}",
        f"TABLE = {tomllib.loads(table.decode())!r}",
    ]
    return "\n".join(lines) + "\n"


def untracked(root: Path) -> list[str]:
    """Return the files and folders that git does not track, such as somebody's .env.

    None where this is no checkout, as in an unpacked sdist (even within one), or where git cannot tell: all is packed.
    """
    if not (root / ".git").exists() or not shutil.which("git"):
        return []
    git = ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files", "--others", "--directory", "-z"]
    # In one of git's own hooks these may name another checkout.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    listed = subprocess.run(git, env=environment, stdout=subprocess.PIPE, check=False)
    return [os.fsdecode(path) for path in listed.stdout.split(b"\0") if path and listed.returncode == 0]


def pattern_of(path: str) -> str:
    """Return what stands for this path alone among patterns such as those of .gitignore."""
    return "/" + re.sub(r"([\\*?\[\]!# ])", r"\\\1", path)
