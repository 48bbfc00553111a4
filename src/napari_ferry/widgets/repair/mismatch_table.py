"""Table of the differences between a sidecar and its raw file."""

from __future__ import annotations

from collections.abc import Callable

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus
from napari_ferry.widgets.form import escape_html

_CHANNEL_ORDERS = {"": "", "pixel": " (interleaved)", "plane": " (one plane after another)"}

_ROWS: dict[str, Callable[[Layout], str]] = {
    "data type": lambda layout: layout.dtype.name,
    "byte order": lambda layout: layout.byte_order,
    "header": lambda layout: f"{layout.offset:,}",
    "frames": lambda layout: f"{layout.frames:,}",
    "gap after each": lambda layout: f"{layout.gap:,}",
    "y": lambda layout: f"{layout.y:,}",
    "x": lambda layout: f"{layout.x:,}",
    "channels": lambda layout: f"{layout.channels:,}{_CHANNEL_ORDERS[layout.interleaving]}",
}
"""Text of each row for a layout, by title."""


def mismatch_table(sidecar: SidecarStatus, detected: Layout | None, nbytes: int) -> str:
    """Return rich text with the error of a sidecar, and its differences from the raw file.

    Parameters
    ----------
    sidecar : SidecarStatus
        Status of the sidecar.
    detected : Layout, optional
        Layout found in the bytes of the file.
    nbytes : int
        Size of the file in bytes.
    """
    name = escape_html(sidecar.path.name)
    heading = f"<b>{name} does not fit.</b> {escape_html(sidecar.error)}"
    layout = sidecar.layout
    if layout is None or detected is None:
        return heading

    rows = [(title, text(layout), text(detected)) for title, text in _ROWS.items()]
    rows.append(("total bytes", f"{layout.offset + layout.extent:,}", f"{nbytes:,}"))
    titles = f"<tr><td></td><td>{name}</td><td></td><td>the bytes</td></tr>"
    return "".join(
        [heading, "<table cellspacing='4'>", titles, *(_row(*row) for row in rows), "</table>"]
    )


def _row(title: str, described: str, detected: str) -> str:
    is_equal = described == detected
    cells = (title, described, "" if is_equal else "≠", detected)
    marked = [cell if is_equal else f"<b>{cell}</b>" for cell in cells]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in marked)}</tr>"
