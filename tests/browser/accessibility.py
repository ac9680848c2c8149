"""axe-core on what is ours in a page, with the two ways in which it is silent made to speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN = """async root => {
    // What is neither a violation nor passed is "incomplete". Of contrast we want to know it: also beside a number or a
    // bar that CSS draws, of a sign, of a single figure.
    const measured = {ignoreLength: true, ignorePseudo: true, ignoreUnicode: false};
    const options = {checks: {'color-contrast': {options: measured}}};
    const rule = one => ({
        id: one.id,
        nodes: one.nodes.map(node => ({
            html: node.html.slice(0, 160),
            keys: node.any.map(check => check.data?.messageKey ?? null),
            says: node.any.map(check => check.message).join('; '),
        })),
    });
    // JupyterLab's body has no height and hides what overflows: axe takes all for off screen, and checks no contrast.
    const height = document.body.style.height;
    document.body.style.height = '100vh';
    const found = [];
    const isShown = one => one.getClientRects().length > 0;  // the report behind a panel is not
    for (const one of [...document.querySelectorAll(root)].filter(isShown)) {
        one.scrollIntoView({block: 'start'});
        await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
        const {violations, incomplete, passes} = await axe.run(one, options);
        found.push({
            violations: violations.map(rule), incomplete: incomplete.map(rule), passes: passes.map(one => one.id),
        });
    }
    document.body.style.height = height;
    return found;
}"""
ARROW_OF_A_LIST = "bgImage"
TALL_ENOUGH = 12000
"""So tall that nothing is scrolled away: of what the page covers, contrast "could not be told"."""


class Accessibility:
    """What axe-core, given as source, finds."""

    def __init__(self, source: str) -> None:
        self._source = source

    def faults(self, page: Page, roots: str) -> list[str]:
        """Return what is wrong in each of `roots`, a selector, that is shown: violations, contrast that is not known.

        Text of exactly its background's colour counts as "could not be told"; only the picture behind a list's text,
        the arrow, is let pass.
        """
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(self._source)
        size = page.viewport_size
        page.set_viewport_size({"width": size["width"], "height": TALL_ENOUGH})
        found = page.evaluate(RUN, roots)
        page.set_viewport_size(size)
        return [fault for one in found for fault in _faults(one)] if found else [f"there is no {roots}"]


def _faults(found: dict[str, Any]) -> list[str]:
    untold = [rule for rule in found["incomplete"] if rule["id"] == "color-contrast"]
    if "color-contrast" not in {rule["id"] for rule in [*found["violations"], *untold]} | set(found["passes"]):
        return ["no contrast was checked"]
    faults = [_fault(rule, node) for rule in found["violations"] for node in rule["nodes"]]
    return faults + [
        _fault(rule, node)
        for rule in untold
        for node in rule["nodes"]
        if not (node["html"].startswith("<select") and node["keys"] == [ARROW_OF_A_LIST])
    ]


def _fault(rule: dict[str, Any], node: dict[str, Any]) -> str:
    return f"{rule['id']}: {node['html']} {node['says']}"
