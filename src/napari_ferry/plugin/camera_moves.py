"""Moves of the camera: turns and key frames."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from napari_ferry.arguments import is_real, is_whole
from napari_ferry.errors import InvalidImageError
from napari_ferry.plugin.camera_rotation import TurnAxis, turn_angles
from napari_ferry.plugin.view_interpolation import interpolate_views
from napari_ferry.plugin.view_state import LayerState, ViewState

if TYPE_CHECKING:
    from napari.components import ViewerModel

Easing = Literal["linear", "smooth"]
"""Constant speed, or a slow start and end."""

MOST_FRAMES = 100_000
"""Maximum number of frames of a move: an hour of 28 frames per second."""


class CameraMoves(Protocol):
    """Views of the frames of a movie."""

    @property
    def frame_rate(self) -> float:
        """Frames per second."""

    @property
    def nframes(self) -> int:
        """Number of frames."""

    @property
    def layers(self) -> dict[Hashable, str]:
        """Names of the layers whose appearance changes, by `unique_id`."""

    def without(self, layers: Collection[Hashable]) -> CameraMoves:
        """Return these moves without changes of layers, given by `unique_id`."""

    def check(self, start: ViewState) -> None:
        """Raise `InvalidImageError` if these moves cannot start from a view."""

    def view(self, i: int, start: ViewState) -> ViewState:
        """Return the view of frame `i` of moves from a starting view."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Turn of a 3-D view, starting from the current one.

    Full turns end one frame before they are complete, so that the movie can be repeated without a
    pause; other turns end at their angle.

    Parameters
    ----------
    nframes : int
        Number of frames.
    degrees : float
        Angle of the turn; negative for the other direction.
    axis : {"vertical", "horizontal", "view"}
        Axis on the screen: upward, to the right, or into the screen.
    easing : {"linear", "smooth"}
        Constant speed, or a slow start and end.
    slider : str, optional
        Label of a slider that plays once during the turn.
    frame_rate : float
        Frames per second.

    Raises
    ------
    InvalidImageError
        A value is not one of those above.
    """

    nframes: int
    degrees: float = 360.0
    axis: TurnAxis = "vertical"
    easing: Easing = "linear"
    slider: str | None = None
    frame_rate: float = 30.0

    def __post_init__(self) -> None:
        _check_count(self.nframes)
        _check_rate(self.frame_rate)
        _check_choice("axis", self.axis, get_args(TurnAxis))
        _check_choice("easing", self.easing, get_args(Easing))
        if not is_real(self.degrees) or not math.isfinite(self.degrees):
            raise InvalidImageError(f"The turn is {self.degrees!r}: give a number of degrees.")

    @property
    def layers(self) -> dict[Hashable, str]:
        """Return an empty mapping: a turn does not change layers."""
        return {}

    def without(self, layers: Collection[Hashable]) -> Turn:
        """Return the turn itself."""
        return self

    def check(self, start: ViewState) -> None:
        """Refuse a 2-D view, and one without the slider."""
        if start.ndisplay != 3:
            raise InvalidImageError(
                "The camera turns in 3-D views only: switch the viewer to 3-D, or use key frames."
            )
        if self.slider is not None:
            self._slider_index(start)

    def view(self, i: int, start: ViewState) -> ViewState:
        """Return the view of frame `i` of a turn from a starting view."""
        nsteps = self.nframes if self.degrees % 360 == 0 else max(1, self.nframes - 1)
        degrees = self.degrees * ease(i / nsteps, self.easing)
        camera = start.camera
        angles = turn_angles(camera.angles, camera.orientation, self.axis, degrees)
        return replace(self._play(i, start), camera=replace(camera, angles=angles), layers={})

    def _play(self, i: int, start: ViewState) -> ViewState:
        """Return the view with the slider at frame `i`; each of its steps has the same duration."""
        if self.slider is None:
            return start
        k = self._slider_index(start)
        return start.at_step(k, i * start.sliders[k].nsteps // self.nframes)

    def _slider_index(self, start: ViewState) -> int:
        """Return the index of the playing dimension."""
        for k in start.order[: -start.ndisplay]:
            if start.sliders[k].label == self.slider:
                return k
        raise InvalidImageError(
            f"The viewer has no slider {self.slider!r} to play during the turn: choose another "
            "slider, or none."
        )


@dataclass(frozen=True, kw_only=True)
class KeyFrame:
    """A view, and the way to the next one.

    Parameters
    ----------
    view : ViewState
        The view.
    nframes : int
        Number of frames until the next key frame; not used by the last one.
    easing : {"linear", "smooth"}
        Constant speed to the next key frame, or a slow start and end.

    Raises
    ------
    InvalidImageError
        A value is not one of those above.
    """

    view: ViewState
    nframes: int = 60
    easing: Easing = "smooth"

    def __post_init__(self) -> None:
        _check_count(self.nframes)
        _check_choice("easing", self.easing, get_args(Easing))


@dataclass(frozen=True)
class KeyFrames:
    """Moves from one key frame to the next.

    Parameters
    ----------
    keys : tuple of KeyFrame
        At least one.
    frame_rate : float
        Frames per second.

    Raises
    ------
    InvalidImageError
        There are no key frames, too many frames, or the frame rate is not positive.
    """

    keys: tuple[KeyFrame, ...]
    frame_rate: float = 30.0

    def __post_init__(self) -> None:
        if not self.keys:
            raise InvalidImageError("There are no key frames: add at least one.")
        _check_rate(self.frame_rate)
        _check_count(self.nframes)

    @property
    def nframes(self) -> int:
        """Number of frames, including the last key frame."""
        return self._starts[-1] + 1

    @cached_property
    def layers(self) -> dict[Hashable, str]:
        """Names of the layers in the key frames, by `unique_id`."""
        return {id_: state.name for key in self.keys for id_, state in key.view.layers.items()}

    def without(self, layers: Collection[Hashable]) -> KeyFrames:
        """Return key frames without some layers, given by `unique_id`."""
        keys = (replace(key, view=key.view.without(layers)) for key in self.keys)
        return replace(self, keys=tuple(keys))

    @cached_property
    def _starts(self) -> list[int]:
        """Number of the frame of each key frame."""
        return [0, *accumulate(key.nframes for key in self.keys[:-1])]

    @cached_property
    def _views(self) -> list[ViewState]:
        """Views of the key frames, each with a state of every layer of any of them.

        Frames would otherwise depend on those drawn before.
        """
        layers: dict[Hashable, LayerState] = {}
        for key in reversed(self.keys):
            layers |= key.view.layers
        views = []
        for key in self.keys:
            layers = {**layers, **key.view.layers}
            views.append(replace(key.view, layers=layers))
        return views

    def check(self, start: ViewState) -> None:
        """Accept any view: key frames do not depend on the starting view."""

    def view(self, i: int, start: ViewState) -> ViewState:
        """Return the view of frame `i`, interpolated between two key frames."""
        k = bisect_right(self._starts, i) - 1
        if k == len(self.keys) - 1:
            return self._views[k]
        key = self.keys[k]
        fraction = ease((i - self._starts[k]) / key.nframes, key.easing)
        return interpolate_views(self._views[k], self._views[k + 1], fraction)


def ease(fraction: float, easing: Easing) -> float:
    """Return the part of the way after a part of the time, both from 0 to 1."""
    return fraction * fraction * (3 - 2 * fraction) if easing == "smooth" else fraction


def missing_layers(moves: CameraMoves, viewer: ViewerModel) -> list[str]:
    """Return the names of the layers of moves missing from the viewer."""
    present = {layer.unique_id for layer in viewer.layers}
    return [name for id_, name in moves.layers.items() if id_ not in present]


def _check_count(nframes: object) -> None:
    if not is_whole(nframes) or not 1 <= nframes <= MOST_FRAMES:
        raise InvalidImageError(
            f"The move has {nframes!r} frames: choose a length between 1 and {MOST_FRAMES} frames."
        )


def _check_rate(rate: object) -> None:
    if not is_real(rate) or not 0 < rate < math.inf:  # type: ignore[operator]
        raise InvalidImageError(
            f"The frame rate is {rate!r}: give a positive number of frames per second."
        )


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidImageError(f"The {name} is {value!r}: choose one of {', '.join(choices)}.")
