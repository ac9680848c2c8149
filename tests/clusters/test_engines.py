from __future__ import annotations

from types import ModuleType

import pytest

from colab_magics.clusters import engines


class Engine:
    @staticmethod
    def takes(thing: object) -> bool:
        return isinstance(thing, set)


def test_the_variables_that_drive_a_cluster_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "ENGINES", (Engine(),))

    assert engines.driving({"client": set(), "number": 5, "other": set()}) == ["client", "other"]


def test_where_no_engine_is_imported_none_is() -> None:
    assert engines.driving({"ray": ModuleType("ray"), "client": object()}) == []
