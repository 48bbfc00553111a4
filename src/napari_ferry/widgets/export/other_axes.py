"""Field for the axes of a movie that are not animated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_ferry.widgets.form import ChoiceField
from napari_ferry.widgets.words import OTHER_AXES

if TYPE_CHECKING:
    from napari import Viewer


class OtherAxesField(ChoiceField):
    """Choice between the positions of the sliders and a projection over all positions.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the sliders.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__("other_axes", OTHER_AXES)
        self.dims = viewer.dims
        self.names: list[str] = []

    @property
    def is_needed(self) -> bool:
        """True if the movie has axes that are not animated."""
        return bool(self.names)

    def show_position(self, position: str) -> None:
        """Show the positions of the sliders, such as ``"z=3 c=0"``."""
        entries = [entry.partition("=") for entry in position.split()]
        self.names = [name for name, _, _ in entries]
        texts = [self._position_text(name, step) for name, _, step in entries]
        self.offer({**OTHER_AXES.choices, None: ", ".join(texts)})

    def drawing_options(self) -> dict[str, str | None]:
        """Return the options of `render` for a projection, empty without one."""
        chosen: str | None = self.value
        if chosen is None or not self.names:
            return {}
        thickness = " ".join(f"{name}=all" for name in self.names)
        return {"projection": chosen, "thickness": thickness, "position": None}

    def _position_text(self, name: str, step: str) -> str:
        """Return a position as its slider shows it."""
        if name not in self.dims.axis_labels:
            return f"{name} = {step}"
        size = self.dims.nsteps[self.dims.axis_labels.index(name)]
        return f"{name} = {step} of {size:.0f}"
