"""Whether all of it can be seen: what is wider than its place, and what is cut off."""

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
