"""A sidecar and the bytes that it describes, side by side."""

from __future__ import annotations

import html
from collections.abc import Callable

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus

_TOGETHER = {"": "", "pixel": "in each pixel", "plane": "one after the other"}

_ROWS: dict[str, Callable[[Layout], str]] = {
    "data type": lambda one: one.dtype.name,
    "byte order": lambda one: one.byte_order,
    "header": lambda one: f"{one.offset:,}",
    "frames": lambda one: f"{one.frames:,}",
    "gap after each": lambda one: f"{one.gap:,}",
    "y": lambda one: f"{one.y:,}",
    "x": lambda one: f"{one.x:,}",
    "channels": lambda one: f"{one.channels:,} {_TOGETHER[one.interleaving]}".strip(),
}


def contrast(said: SidecarStatus, found: Layout | None, nbytes: int) -> str:
    """Return rich text: why a sidecar does not fit, and where it and the bytes contradict.

    Parameters
    ----------
    said : VendorFacts
        What the sidecar says.
    found : Layout, optional
        What the bytes say.
    nbytes : int
        Size of the file.
    """
    name = html.escape(said.path.name, quote=False)
    lines = [f"<b>{name} does not fit.</b> {html.escape(said.error, quote=False)}"]
    one = said.layout
    if one is None or found is None:
        return lines[0]
    rows = [(title, read(one), read(found)) for title, read in _ROWS.items()]
    rows.append(("bytes in all", f"{one.offset + one.extent:,}", f"{nbytes:,}"))
    lines.append("<table cellspacing='4'>")
    lines.append(f"<tr><td></td><td>{name}</td><td></td><td>the bytes</td></tr>")
    lines += [_row(*row) for row in rows]
    return "".join([*lines, "</table>"])


def _row(title: str, says: str, is_so: str) -> str:
    cells = (title, says, "" if says == is_so else "≠", is_so)
    marked = [cell if says == is_so else f"<b>{cell}</b>" for cell in cells]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in marked)}</tr>"
