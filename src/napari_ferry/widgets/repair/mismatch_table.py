"""Table of the differences between a sidecar and its raw file."""

from __future__ import annotations

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus
from napari_ferry.widgets.form import escape_html
from napari_ferry.widgets.repair.layout_form import Value, field_values
from napari_ferry.widgets.repair.repair_words import FROM_BYTES, LAYOUT_FIELDS, SIDECAR, TOTAL
from napari_ferry.widgets.repair.sentences import does_not_fit


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
    heading = f"<b>{does_not_fit(name, None)}.</b> {escape_html(sidecar.error)}"
    layout = sidecar.layout
    if layout is None or detected is None:
        return heading

    described, found = field_values(layout), field_values(detected)
    rows = [
        (words.label, _text(described[field]), _text(found[field]))
        for field, words in LAYOUT_FIELDS.items()
        if field != "interleaving" or max(layout.channels, detected.channels) > 1
    ]
    rows.append((TOTAL, _text(layout.offset + layout.extent), _text(nbytes)))
    titles = f"<tr><td></td><td>{SIDECAR}</td><td></td><td>{FROM_BYTES}</td></tr>"
    return "".join(
        [
            heading,
            "<table width='100%' cellspacing='2'>",
            titles,
            *(_row(*row) for row in rows),
            "</table>",
        ]
    )


def _text(value: Value) -> str:
    # a space of no width permits a line break in a large number
    return f"{value:,}".replace(",", ",\u200b") if isinstance(value, int) else value


def _row(title: str, described: str, detected: str) -> str:
    is_equal = described == detected
    cells = (title, described, "" if is_equal else "≠", detected)
    marked = [cell if is_equal else f"<b>{cell}</b>" for cell in cells]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in marked)}</tr>"
