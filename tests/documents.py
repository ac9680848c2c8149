"""JSON documents of reports, held against the JSON Schema that comes with the package."""

from __future__ import annotations

import functools
import json
from typing import Any

from jsonschema import Draft202012Validator

from colab_magics.views import json as view


def read(text: str) -> Any:
    """Return a document, and assert that it is one line, of the form that the schema says, with nothing beside it."""
    assert "\n" not in text.rstrip("\n")
    assert text.isascii()
    found = json.loads(text)
    _validator().validate(found)
    return found


@functools.cache
def _validator() -> Draft202012Validator:
    schema = json.loads(view.schema())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_exact(schema))


def _exact(schema: Any) -> Any:
    """Return the schema without room for fields that it does not name: users get that for later versions."""
    if isinstance(schema, list):
        return [_exact(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _exact(value) for key, value in schema.items()}
    is_object = inner.get("type") == "object" and "properties" in inner
    return {**inner, "additionalProperties": False} if is_object else inner
