"""Field for the axes of a movie other than its frame axis."""

from __future__ import annotations

from collections.abc import Sequence

from napari_ferry.plugin.viewer import AxisPosition
from napari_ferry.widgets.form import ChoiceField
from napari_ferry.widgets.form_words import OTHER_AXES


class OtherAxesField(ChoiceField):
    """Choice between the positions of the sliders and a projection over all positions."""

    def __init__(self) -> None:
        super().__init__("other_axes", OTHER_AXES)
        self.positions: tuple[AxisPosition, ...] = ()

    @property
    def is_needed(self) -> bool:
        """True if the movie has axes besides its frame axis."""
        return bool(self.positions)

    @property
    def text(self) -> str:
        """Positions of the sliders, such as ``"z = 3 of 12"``."""
        return ", ".join(f"{name} = {step} of {size}" for name, step, size in self.positions)

    def show_positions(self, positions: Sequence[AxisPosition]) -> None:
        """Show the positions of the sliders."""
        self.positions = tuple(positions)
        self.offer({**OTHER_AXES.choices, None: self.text})

    def drawing_options(self) -> dict[str, str]:
        """Return the options of `render` for a projection, empty without one.

        The slices are as thick as their axes, on both sides of the sliders: layers that cannot be
        projected, such as labels, are shown at the sliders.
        """
        chosen: str | None = self.value
        if chosen is None or not self.positions:
            return {}
        margins = (f"{name}={step}+{size - 1 - step}" for name, step, size in self.positions)
        return {"projection": chosen, "thickness": " ".join(margins)}
