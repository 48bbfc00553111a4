"""Grid of layers side by side, with the rules of napari's grid mode."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from napari_ferry.arguments import is_real, is_text, is_whole
from napari_ferry.errors import InvalidImageError

_AUTOMATIC = "auto"
_SHAPE = re.compile(rf"\s*([1-9]\d*|{_AUTOMATIC})\s*x\s*([1-9]\d*|{_AUTOMATIC})\s*")


@dataclass(frozen=True, kw_only=True)
class LayerGrid:
    """Cells of a picture, each with some of the layers.

    Parameters
    ----------
    shape : tuple of int
        Number of rows and columns.
    cells : tuple of tuple of int
        Row and column of each layer; of a hidden layer, these are not used.
    spacing : float
        Distance between cells: a fraction of their size if it is below 1, otherwise pixels.
    """

    shape: tuple[int, int]
    cells: tuple[tuple[int, int], ...]
    spacing: float = 0.0

    def gap(self, size: Sequence[float]) -> int:
        """Return the distance in pixels between cells of a height and width in pixels."""
        if self.spacing >= 1:
            return int(self.spacing)

        # napari takes the fraction of a cell that includes its share of the gaps
        share = sum((count - 1) / count for count in self.shape) / 2
        return int(self.spacing * (size[0] + size[1]) / 2 / (1 - self.spacing * share))


def make_layer_grid(
    is_visible: Sequence[bool], grid: str | None, stride: int, spacing: float
) -> LayerGrid:
    """Assign layers to cells.

    Parameters
    ----------
    is_visible : sequence of bool
        Whether each layer is visible, from bottom to top.
    grid, stride, spacing
        Options of `render`.

    Raises
    ------
    InvalidImageError
        An option is not valid.
    """
    if grid is None:
        return LayerGrid(shape=(1, 1), cells=((0, 0),) * len(is_visible))
    if not is_whole(stride) or stride == 0:
        raise InvalidImageError(
            f"The grid_stride is {stride!r}, expected an integer other than 0: give the number of "
            "layers in each cell of the grid."
        )
    if not is_real(spacing) or not 0 <= spacing < math.inf:
        raise InvalidImageError(
            f"The grid_spacing is {spacing!r}, expected a number of at least 0: give a fraction of "
            "the size of cells, or a number of pixels."
        )

    groups = _groups(len(is_visible), stride)
    occupied = sorted({group for group, shown in zip(groups, is_visible, strict=True) if shown})
    rows, columns = _choose_shape(grid, max(1, len(occupied)))
    numbers = {group: i % (rows * columns) for i, group in enumerate(occupied)}
    cells = tuple(divmod(numbers.get(group, 0), columns) for group in groups)
    return LayerGrid(shape=(rows, columns), cells=cells, spacing=spacing)


def _groups(count: int, stride: int) -> list[int]:
    """Return the group of each layer; the layers of a group share a cell."""
    numbers = range(count) if stride > 0 else reversed(range(count))
    return [i // abs(stride) for i in numbers]


def _choose_shape(grid: str, count: int) -> tuple[int, int]:
    """Return the number of rows and columns for a number of cells.

    >>> _choose_shape("auto", 5), _choose_shape("auto x 2", 5), _choose_shape("1 x 4", 5)
    ((2, 3), (3, 2), (1, 4))
    """
    text = f"{grid} x {grid}" if grid == _AUTOMATIC else grid
    match = _SHAPE.fullmatch(text) if is_text(text) else None
    if match is None:
        raise InvalidImageError(
            f"The grid is {grid!r}: give the number of rows and columns, such as '2 x 3', or "
            "'auto'."
        )
    rows, columns = (0 if side == _AUTOMATIC else int(side) for side in match.groups())
    if not rows:
        columns = columns or math.ceil(math.sqrt(count))
        rows = math.ceil(count / columns)
    return rows, columns or math.ceil(count / rows)
