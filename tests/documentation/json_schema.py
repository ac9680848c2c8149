"""The JSON Schema of a report, and the tables that explain it.

The form of a document stands in `views/json.py`, that of its sections in `model/`, both with what each field means.
"""

from __future__ import annotations

import ast
import enum
import json
import re
from pathlib import Path
from typing import Any, get_args

import colab_magics
from colab_magics import model
from colab_magics.model import cells, cluster, holders
from colab_magics.views import json as view
from colab_magics.views.messages import FIELD_REASONS, REASONS
from documentation.markdown import code, table

PACKAGE = Path(colab_magics.__file__).parent
SCHEMA = Path("colab_magics", "views", "report.schema.json")

ALWAYS_LOOKED_AT = {
    "gpu": ("platform", "driver", "gpus", "visible_gpus", "tpus"),
    "ram": ("platform", "ram"),
    "runtime": ("platform", "driver", "gpus", "visible_gpus", "tpus", "ram", "disks", "cpu"),
    "cell": ("platform", "cells"),
    "cells": ("platform", "cells"),
    "out_of_memory": ("platform", "out_of_memory"),
    "cluster": ("platform", "cluster"),
}
"""The sections of a report, by its subject; others are there where they were needed."""

_MODULES = (model, holders, cells, cluster, view)
"""Where the types stand; one of the same name in a later one is the form of it in JSON."""

_SIMPLE = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "None": "null",
    "datetime": "string",
}


class Kind:
    """A type whose fields are documented where they stand: its own and those that it has from another type."""

    def __init__(self, node: ast.ClassDef, known: dict[str, Kind]) -> None:
        self.name = node.name
        self.meaning = _as_line(ast.get_docstring(node) or "")
        self.fields: dict[str, tuple[ast.expr, str]] = {}
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in known:
                self.fields |= known[base.id].fields
        for field, after in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                assert isinstance(after, ast.Expr)
                self.fields[field.target.id] = (field.annotation, _as_line(ast.literal_eval(after.value)))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a report."""
    kinds = _kinds()
    document = _object(kinds["Document"])
    properties = document["properties"]
    header = list(properties)
    last = {name: properties.pop(name) for name in header[header.index("unavailable") :]}
    document["properties"] = properties | _sections(kinds["Snapshot"]) | last
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "colab_magics report",
        "description": kinds["Document"].meaning,
        **{key: value for key, value in document.items() if key != "description"},
        "allOf": [
            {"if": {"properties": {"subject": {"const": subject}}}, "then": {"required": list(sections)}}
            for subject, sections in ALWAYS_LOOKED_AT.items()
        ],
        "$defs": _used(kinds, document),
    }


def text() -> str:
    """Return the JSON Schema as its file has it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def tables() -> str:
    """Return a table for each type in a document, and the codes of what is not known."""
    whole = schema()
    parts = [_fields("The document", whole)]
    parts += [_fields(name, kind) for name, kind in whole["$defs"].items()]
    parts += [
        _codes("Codes of sections", "Why a section or a disk is not known.", REASONS),
        _codes("Codes of fields", "Why a field of a device, or the RAM's, is not known.", FIELD_REASONS),
    ]
    return "\n".join(parts)


def _kinds() -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for module in _MODULES:
        assert module.__file__ is not None
        for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not any(_name(base).endswith("Enum") for base in node.bases):
                kinds[node.name] = Kind(node, kinds)
    return kinds


def _sections(snapshot: Kind) -> dict[str, Any]:
    """Return the sections: what nobody could look at is null, or empty where it is a list."""
    found = {}
    for name, (annotation, meaning) in snapshot.fields.items():
        if name == "taken_at":
            continue
        ways = [way for way in _ways(annotation) if _name(way) not in ("Unavailable", "None")]
        is_list = isinstance(ways[0], ast.Subscript)
        found[name] = _described(_either([*map(_type, ways), *([] if is_list else [{"type": "null"}])]), meaning)
    return found


def _object(kind: Kind) -> dict[str, Any]:
    return {
        "description": kind.meaning,
        "type": "object",
        "properties": {
            name: _described(_field(name, annotation), meaning) for name, (annotation, meaning) in kind.fields.items()
        },
        "required": list(kind.fields),
    }


def _field(name: str, annotation: ast.expr) -> dict[str, Any]:
    if name == "unavailable" and "dict" not in ast.unparse(annotation):  # of a device: a reason for each field
        return {"type": "object", "additionalProperties": {"$ref": "#/$defs/Reason"}}
    return _either([_type(way) for way in _ways(annotation)])


def _ways(annotation: ast.expr) -> list[ast.expr]:
    """Return the types that an annotation joins by `|`."""
    if isinstance(annotation, ast.BinOp):
        return [*_ways(annotation.left), *_ways(annotation.right)]
    return [annotation]


def _type(annotation: ast.expr) -> dict[str, Any]:
    if isinstance(annotation, ast.Subscript):
        inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        if _name(annotation.value) == "dict":
            return {"type": "object", "additionalProperties": _either([_type(way) for way in _ways(inner[1])])}
        return {"type": "array", "items": _either([_type(way) for way in _ways(inner[0])])}
    name = _name(annotation)
    if name in _SIMPLE:
        return {"type": _SIMPLE[name]}
    if name == "Document":  # a document may hold others
        return {"$ref": "#"}
    choices = next((getattr(module, name) for module in _MODULES if hasattr(module, name)), None)
    if isinstance(choices, enum.EnumType):
        return {"enum": [one.value for one in choices]}
    return {"enum": list(get_args(choices))} if get_args(choices) else {"$ref": f"#/$defs/{name}"}


def _either(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is of one of these types."""
    kinds = [kind for kind in kinds if kind != {"type": "integer"} or {"type": "number"} not in kinds]
    if len(kinds) == 1:
        return kinds[0]
    if all(kind.keys() == {"type"} for kind in kinds):
        return {"type": [kind["type"] for kind in kinds]}
    return {"anyOf": kinds}


def _described(kind: dict[str, Any], meaning: str) -> dict[str, Any]:
    return {"description": meaning, **kind}


def _used(kinds: dict[str, Kind], document: dict[str, Any]) -> dict[str, Any]:
    """Return the types that a document is made of, in the order in which they are met."""
    found: dict[str, Any] = {}
    waiting = [document]
    while waiting:
        for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(waiting.pop(0))):
            if name not in found:
                found[name] = _object(kinds[name])
                waiting.append(found[name])
    return found


def _name(node: ast.expr) -> str:
    return ast.unparse(node)


def _as_line(text: str) -> str:
    """Return a meaning as JSON's readers know its words."""
    line = " ".join(text.split()).replace("`", "")
    return re.sub(r"\b(None|True|False)\b", lambda word: {"None": "null"}.get(word[0], word[0].lower()), line)


def _fields(title: str, kind: dict[str, Any]) -> str:
    rows = [(code(name), _in_words(field), field["description"]) for name, field in kind["properties"].items()]
    return f"## {title}\n\n{kind['description']}\n\n{table(('field', 'type', 'meaning'), rows)}"


def _codes(title: str, meaning: str, reasons: dict[str, str]) -> str:
    rows = [(code(name), reasons[name]) for name in sorted(reasons)]
    return f"## {title}\n\n{meaning}\n\n{table(('code', 'reason'), rows)}"


def _in_words(kind: dict[str, Any]) -> str:
    """Return a type as a page says it: "list of [Gpu](#gpu)", "integer or null"."""
    if "anyOf" in kind:
        return " or ".join(map(_in_words, kind["anyOf"]))
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return "[the document](#the-document)" if name == "#" else f"[{name}](#{name.lower()})"
    if "enum" in kind:
        return ", ".join(f"`{json.dumps(choice)}`" for choice in kind["enum"])
    if kind["type"] == "array":
        return f"list of {_as_one(kind['items'])}"
    if kind["type"] == "object":
        return f"object of {_as_one(kind['additionalProperties'])}"
    return kind["type"] if isinstance(kind["type"], str) else " or ".join(kind["type"])


def _as_one(kind: dict[str, Any]) -> str:
    words = _in_words(kind)
    return f"({words})" if " or " in words else words
