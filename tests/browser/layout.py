"""Whether all of it can be seen, and stays where it is: what is wider than its place, what is cut off, what moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator

# Zoomed to 200 %, a page of 1280 px is laid out in 640: of a layout a browser's zoom changes the width in CSS pixels
# and nothing else. (Playwright's device_scale_factor would change the sharpness only.)
WIDTHS = (1100, 640, 420)

MISFITS = """root => {
    const said = one => `${one.tagName.toLowerCase()}.${[...one.classList].join('.')} ${one.innerText?.slice(0, 40)}`;
    const shown = one => one.getClientRects().length > 0 && getComputedStyle(one).visibility !== 'hidden';
    const misfits = [];
    for (const one of [root, ...root.querySelectorAll('*')].filter(shown)) {
        const style = getComputedStyle(one);
        if (style.display === 'inline' || one.closest('svg, meter')) continue;
        if (one.scrollWidth > one.clientWidth + 1) {
            misfits.push(`${one.scrollWidth} px in ${one.clientWidth}: ${said(one)}`);
        }
        if (style.overflowY !== 'visible' && one.scrollHeight > one.clientHeight + 1) {
            misfits.push(`${one.scrollHeight} px high in ${one.clientHeight}: ${said(one)}`);
        }
    }
    for (let place = root.parentElement; place && !place.matches('body'); place = place.parentElement) {
        if (place.matches('.jp-OutputArea-output, .output_subarea') && place.scrollWidth > place.clientWidth + 1) {
            misfits.push(`the output is ${place.scrollWidth} px in ${place.clientWidth}`);
        }
    }
    return misfits;
}"""


def misfits(root: Locator) -> list[str]:
    """Return what within `root` needs more room than it has, and whether the output that holds it scrolls sideways."""
    return [misfit for one in root.all() for misfit in one.evaluate(MISFITS)]


PLACES = """root => {
    const origin = root.getBoundingClientRect();
    const places = {};
    const walk = (one, path) => {
        const style = getComputedStyle(one);
        // What is empty is a bar's filled part, or keeps the place of a line.
        const isEmpty = !one.childNodes.length && !one.matches('meter, input, select, button');
        if (style.display === 'none' || isEmpty) return;
        const box = one.getBoundingClientRect();
        // What flows with the text is as wide as its words, and may begin later where those before it are longer;
        // display: contents has no place of its own.
        const [left, top] = [box.left - origin.left, box.top - origin.top];
        if (style.display === 'inline' || one.parentElement.matches('p')) {
            places[path] = {top};
        } else if (style.display === 'inline-block' && one.matches('span')) {
            places[path] = {left, top};
        } else if (style.display !== 'contents') {
            places[path] = {left, top, width: box.width, height: box.height};
        }
        if (one.matches('svg, meter')) return;
        const seen = {};
        for (const child of one.children) {
            const kind = [child.localName, ...child.classList].join('.');
            seen[kind] = (seen[kind] ?? 0) + 1;
            walk(child, `${path} > ${kind}:${seen[kind]}`);
        }
    };
    walk(root, 'panel');
    return places;
}"""
_NOTHING_PIXELS = 0.5
"""What no eye sees."""

Places = dict[str, dict[str, float]]


def places(root: Locator) -> Places:
    """Return where each element within `root` is and how large, in pixels from its corner, by its path.

    Of what flows with the text it is only how far down it is: figures in it may be longer.
    """
    found: Places = root.evaluate(PLACES)
    return found


def moved(before: Places, after: Places) -> list[str]:
    """Return what is elsewhere or has another size than before, or is there no more; a line may have appeared."""
    changes = []
    for path, place in before.items():
        now = after.get(path)
        if now is None:
            changes.append(f"{path} is gone")
        elif far := {
            what: (was, now.get(what))
            for what, was in place.items()
            if abs(now.get(what, float("inf")) - was) > _NOTHING_PIXELS
        }:
            changes.append(f"{path}: {far}")
    new = [
        path for path in after.keys() - before.keys() if not path.rpartition(" > ")[2].startswith(("svg", "td.cm-past"))
    ]
    return changes + [f"{path} is new" for path in sorted(new)]
