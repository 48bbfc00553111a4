"""Notes about unfitting values of the form, with fitting ones."""

from __future__ import annotations

from collections.abc import Collection

from napari_ferry.codecs.binary.fit import fitting_values
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.widgets.repair.layout_form import Value, field_values
from napari_ferry.widgets.repair.sentences import does_not_fit, other_header

Notes = dict[str, tuple[str, Value | None]]
"""Text and better value, if there is one, by the name of a field."""


def size_notes(nbytes: int, layout: Layout, edited: str, fixed: Collection[str]) -> Notes:
    """Return notes about a layout smaller or larger than the file.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    layout : Layout
        The layout.
    edited : str
        The field that was changed last, and gets the note if it is a size.
    fixed : collection of str
        Known fields.
    """
    values, notes = field_values(layout), Notes()
    for name, better in fitting_values(nbytes, layout, edited, fixed).items():
        if better is not None and notes:
            notes[name] = (other_header(better), better)
        else:
            notes[name] = (does_not_fit(values[name], better), better)
    return notes


def rival_notes(
    layout: Layout, rival: Layout, fixed: Collection[str]
) -> dict[str, tuple[str, Value]]:
    """Return notes about the known fields contradicted by the bytes.

    `rival` is the layout that they support instead.
    """
    values, better = field_values(layout), field_values(rival)
    return {
        name: (does_not_fit(values[name], better[name]), better[name])
        for name in fixed
        if values[name] != better[name]
    }
