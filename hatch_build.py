"""The build's own step: compile the catalogues of colab_magics/locale/, from what translators write to what we read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Catalogues(BuildHookInterface[Any]):
    """Puts a .mo into the wheel for every .po; an editable installation gets it beside the .po."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the catalogues before the wheel is packed."""
        root = Path(self.root)
        # Elsewhere than in the sources, which may be read-only, and may hold a stale one.
        self.compiled = tempfile.TemporaryDirectory()
        for source in sorted(root.glob("colab_magics/locale/*/LC_MESSAGES/*.po")):
            packed = source.with_suffix(".mo").relative_to(root)
            folder = root if version == "editable" else Path(self.compiled.name)
            target = folder / packed
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as translated, target.open("wb") as compiled:
                write_mo(compiled, read_po(translated))
            if version != "editable":
                build_data["force_include"][str(target)] = packed.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take away what was compiled for the wheel."""
        self.compiled.cleanup()
