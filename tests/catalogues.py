"""The catalogues of translations and the messages that belong into them: what `nox -s catalogues` and the tests use.

Messages stand in the package's modules, marked by `N_` or handed to a `Translator`, and in the tables of facts, in the
columns that tables.py says are sentences.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

KEYWORDS = {
    "N_": None,
    "NP_": (1, 2),
    "translate": None,
    "_translate": None,
    "self": None,  # `Translator` itself
}
"""What messages are handed to, and where those for one and for several stand."""

Message = str | tuple[str, str]
"""In English, where it counts for one and for several."""
COLUMNS = ("label", "applies", "purpose", "meaning", "advice")


def in_package(package: Path) -> dict[Message, list[str]]:
    """Return the messages of a package, each with the files that have it."""
    found = extract_from_dir(package, method_map=[("**.py", "python")], keywords=KEYWORDS)
    said: list[tuple[Message, str]] = [(message, file) for file, _, message, _, _ in found if message]
    for table in sorted((package / "facts").glob("*.toml")):
        rows = tomllib.loads(table.read_text(encoding="utf-8"))
        said += [(message, table.relative_to(package).as_posix()) for message in _sentences(rows)]
    messages: dict[Message, list[str]] = {}
    for message, file in sorted(said, key=lambda one: (one[1], singular(one[0]))):
        files = messages.setdefault(message, [])
        files += [] if file in files else [file]
    return messages


def singular(message: Message) -> str:
    """Return a message, where it counts that for one: by this it is known."""
    return message if isinstance(message, str) else message[0]


def read(file: Path) -> Catalog:
    """Return a catalogue as translators write it."""
    with file.open("rb") as opened:
        return read_po(opened)


def forms(translated: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the forms of a translation: several where a message counts, as many as the language has."""
    return (translated or "",) if isinstance(translated, str | None) else tuple(translated)


def update(file: Path, messages: dict[Message, list[str]]) -> list[str]:
    """Bring a catalogue to these messages, compile it for this checkout, and return those without a translation."""
    catalogue, template = read(file), Catalog()
    for message, files in messages.items():
        template.add(message, locations=[(place, None) for place in files])
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    with file.open("wb") as opened:
        write_po(opened, catalogue, width=0)
    with file.with_suffix(".mo").open("wb") as opened:
        write_mo(opened, catalogue)
    return [singular(message.id) for message in catalogue if message.id and not all(forms(message.string))]


def _sentences(table: Any) -> Iterator[str]:
    for rows in table.values():
        for row in rows if isinstance(rows, list) else ():
            yield from (row[column] for column in COLUMNS if column in row)


def main() -> int:
    """Update every catalogue of this checkout; the exit code is 1 where something is untranslated."""
    package = Path(__file__).resolve().parents[1] / "colab_magics"
    messages = in_package(package)
    untranslated = [
        f"{file.parts[-3]}: {message}"
        for file in sorted(package.glob("locale/*/LC_MESSAGES/*.po"))
        for message in update(file, messages)
    ]
    print("\n  ".join(["untranslated:", *untranslated]) if untranslated else "every message is translated")
    return 1 if untranslated else 0


if __name__ == "__main__":
    sys.exit(main())
