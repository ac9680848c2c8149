from __future__ import annotations

from colab_magics import facts
from colab_magics.facts import loader, tables


def test_every_kind_of_row_and_every_question_to_the_tables_can_be_had_here() -> None:
    kinds = {name for name, one in vars(tables).items() if isinstance(one, type) and one.__module__ == tables.__name__}
    questions = {
        name
        for name, one in vars(loader).items()
        if callable(one) and getattr(one, "__module__", None) == loader.__name__ and not name.startswith("_")
    }
    of_a_module_of_their_own = {"accelerators", "cuda_builds"}
    assert set(facts.__all__) == (kinds | questions) - of_a_module_of_their_own
