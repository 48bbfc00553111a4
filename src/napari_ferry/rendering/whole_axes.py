"""Names of the axes that a thickness of ``"all"`` projects."""

from __future__ import annotations

from typing import Any

from napari_ferry.movie.frame_axis import find_other_axes
from napari_ferry.rendering.projection import ALL, Projection
from napari_ferry.rendering.view import find_plane
from napari_ferry.rendering.world import World


def expand_thickness(
    world: World,
    *,
    plane: str,
    axis: str | None,
    position: str | None,
    thickness: str | None,
    projection: Projection | None,
) -> dict[str, Any]:
    """Return a thickness that names its axes, and its projection; both None without such axes.

    Parameters
    ----------
    world : World
        Images in world coordinates.
    plane, axis, position, thickness, projection
        Options of `render`.

    Returns
    -------
    dict
        The options ``thickness`` and ``projection``.

    Raises
    ------
    InvalidImageError
        An axis or a position does not exist, or the frame axis has to be chosen.
    """
    if thickness != ALL:
        return {"thickness": thickness, "projection": projection}
    plane_axes = find_plane(world, plane)
    sizes = {world.names[k]: world.sizes[k] for k in range(len(world.axes)) if k not in plane_axes}
    others = find_other_axes(sizes, axis, position)
    named = " ".join(f"{name}={ALL}" for name in others)
    return {"thickness": named or None, "projection": projection if named else None}
