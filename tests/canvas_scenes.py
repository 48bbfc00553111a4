"""Scenes of layers to compare with napari's own canvas."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dask.array
import numpy as np
import zarr
from numpy.typing import NDArray

HEIGHT, WIDTH = 101, 151

FULL = (0, 65535)
_LIMITS = {"uint8": (0, 255), "bool": (0, 1), "float32": (-1, 1)}

Layer = tuple[str, Any, dict[str, Any]]


@dataclass(frozen=True)
class Scene:
    """Layers and the state of the viewer.

    Parameters
    ----------
    name : str
        What the test is called.
    layers : tuple of (kind, data, settings)
        From the bottom to the top.
    scale : float
        Pixels for each of the finest samples.
    order : tuple of int, optional
        Order of the viewer's axes.
    step : tuple of int, optional
        Position of the viewer's sliders; the first one is the frame that is drawn.
    view : mapping
        Attributes of the viewer that differ from their defaults.
    tolerance : int
        Largest difference, of 255.
    theme : str
        Of the viewer.
    factor : int
        How much the level of a pyramid is reduced that is shown.
    """

    name: str
    layers: tuple[Layer, ...]
    scale: float = 1.0
    order: tuple[int, ...] | None = None
    step: tuple[int, ...] | None = None
    view: Mapping[str, Any] = field(default_factory=dict)
    tolerance: int = 1
    theme: str = "dark"
    factor: int = 1


def image(data: Any, **settings: Any) -> Layer:
    kind = data[0].dtype
    limits = (0, 1) if settings.get("rgb") and kind == np.float32 else _LIMITS.get(str(kind), FULL)
    return "image", data, {"contrast_limits": limits, **settings}


def labels(data: Any, **settings: Any) -> Layer:
    return "labels", data, settings


_rng = np.random.default_rng(1)
_y, _x = np.mgrid[:HEIGHT, :WIDTH]
RAMP = (_x / WIDTH * 65535).astype(np.uint16)
WAVES = ((np.sin(_x / 9) + np.cos(_y / 7) + 2) / 4 * 255).astype(np.uint8)
FLOATS = (np.sin(_x / 9) * np.cos(_y / 7)).astype(np.float32)
NOISE = _rng.integers(0, 65535, (HEIGHT, WIDTH), dtype=np.uint16)
RGB = _rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
RGBA = _rng.integers(0, 255, (HEIGHT, WIDTH, 4), dtype=np.uint8)
STACK = _rng.integers(0, 255, (5, HEIGHT, WIDTH), dtype=np.uint8)


def _special() -> NDArray[np.float32]:
    floats = FLOATS.copy()
    floats[20:40, 30:60], floats[50:60], floats[60:70] = np.nan, np.inf, -np.inf
    return floats


def _objects() -> NDArray[np.int32]:
    found = np.zeros((HEIGHT, WIDTH), np.int32)
    for label in range(1, 61):
        y, x = _rng.integers(0, HEIGHT), _rng.integers(0, WIDTH)
        found[max(0, y - 9) : y + 9, max(0, x - 9) : x + 9] = label
    return found


OBJECTS = _objects()
BLENDINGS = (
    "translucent",
    "translucent_no_depth",
    "additive",
    "minimum",
    "opaque",
    "multiplicative",
)
COLORMAPS = (
    *("gray", "gray_r", "blue", "bop orange", "I Purple", "HiLo", "hsv"),
    *("PiYG", "twilight", "twilight_shifted", "turbo", "gist_earth", "fire", "ice"),
    *("nan", "viridis", "cividis"),
)


def _colormaps() -> Iterator[Scene]:
    from napari.utils.colormaps import Colormap

    for name in COLORMAPS:
        layer = image(RAMP, colormap=name, contrast_limits=(1000, 60000))
        yield Scene(f"colormap {name}", (layer,))
    colors = [[0, 0, 0.3], [1, 0.5, 0], [1, 1, 1]]
    ends = {"low_color": "lime", "high_color": "blue", "nan_color": "red"}
    marked = Colormap(colors, name="marked", **ends)
    yield Scene("ends and NaN", (image(_special(), colormap=marked),))
    yield Scene("ends of uint16", (image(RAMP, colormap=marked, contrast_limits=(9000, 50000)),))
    yield Scene("ends with gamma", (image(RAMP, colormap=marked, gamma=0.4),))
    steps = Colormap(colors, name="steps", interpolation="zero")
    yield Scene("steps", (image(RAMP, colormap=steps),))
    yield Scene("steps of float", (image(FLOATS, colormap=steps),))
    controls = [0, 0.1, 0.5, 1]
    uneven = Colormap([*colors, [0, 1, 0]], name="uneven", controls=controls)
    yield Scene("uneven controls", (image(RAMP, colormap=uneven),))
    clear = Colormap([[1, 0, 0, 0], [0, 1, 0, 1]], name="clear")
    over = image(RAMP, colormap=clear)
    yield Scene("transparent end", (image(WAVES), over), tolerance=2)


def _values() -> Iterator[Scene]:
    for gamma in (0.2, 0.5, 2.0):
        look = {"colormap": "magma", "gamma": gamma}
        yield Scene(f"gamma {gamma}", (image(RAMP, **look),))
        yield Scene(f"float gamma {gamma}", (image(FLOATS, **look),))

    for name, data, limits in (
        ("uint8", WAVES, (0, 255)),
        ("uint8 narrow", WAVES, (100, 110)),
        ("int8", (WAVES.astype(int) - 128).astype(np.int8), (-100, 100)),
        ("int16", (RAMP.astype(int) - 32768).astype(np.int16), (-20000, 20000)),
        ("uint32", RAMP.astype(np.uint32) * 60000, (0, 3.9e9)),
        ("int64", RAMP.astype(np.int64) * 60000, (0, 3.9e9)),
        ("float16", FLOATS.astype(np.float16), (-1, 1)),
        ("float64", FLOATS.astype(float) * 1e-3, (-1e-3, 1e-3)),
        ("big-endian", RAMP.astype(">u2"), FULL),
        ("bool", WAVES > 100, (0, 1)),
        ("special floats", _special(), (-1, 1)),
    ):
        layer = image(data, colormap="plasma", contrast_limits=limits)
        yield Scene(f"values {name}", (layer,))

    faint = image(_special(), colormap="gray", opacity=0.5)
    yield Scene("special floats, half transparent", (faint,))
    for name, lazy in (("dask", dask.array.from_array(NOISE, 40)), ("zarr", zarr.array(NOISE))):
        yield Scene(f"lazy {name}", (image(lazy),))


def _blendings() -> Iterator[Scene]:
    below = image(RAMP, colormap="green", blending="additive")
    above = image(WAVES, colormap="magenta", blending="additive")
    for first in BLENDINGS:
        lowest = image(RAMP, colormap="viridis", blending=first, opacity=0.6)
        yield Scene(f"lowest {first}", (lowest,))
    for last in BLENDINGS:
        third = image(FLOATS, blending=last, opacity=0.5)
        yield Scene(f"third {last}", (below, above, third), tolerance=2)

    for first, second in itertools.product(BLENDINGS[1:], BLENDINGS[1:]):
        for opacity in (1.0, 0.7) if first == "additive" else (0.7,):
            pair = (
                image(RAMP, colormap="green", blending=first, opacity=opacity),
                image(WAVES, colormap="magenta", blending=second, opacity=opacity),
            )
            yield Scene(f"{second} on {first}, opacity {opacity}", pair)

    hidden = image(RAMP, visible=False)
    yield Scene("lowest is hidden", (hidden, above, below))
    yield Scene("all are hidden", (hidden,))


def _labels() -> Iterator[Scene]:
    from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap, label_colormap

    for name, data in (
        ("int32", OBJECTS),
        ("uint8", (OBJECTS % 200).astype(np.uint8)),
        ("int8 below 0", (OBJECTS - 20).astype(np.int8)),
        ("int16", OBJECTS.astype(np.int16) * 300),
        ("int64", OBJECTS.astype(np.int64) * 10**10),
        ("uint64", OBJECTS.astype(np.uint64) * 10**10),
        ("below 0", OBJECTS - 20),
        ("bool", OBJECTS > 30),
    ):
        yield Scene(f"labels {name}", (labels(data, opacity=1.0),))
    named = {None: "red", 1: "blue", 3: "lime", 0: "transparent"}
    direct = DirectLabelColormap(color_dict=named)
    wide = DirectLabelColormap(color_dict={k and k * 10**10: c for k, c in named.items()})
    for name, data, colors in (
        ("uint8", OBJECTS.astype(np.uint8), direct),
        ("int16", OBJECTS.astype(np.int16), direct),
        ("int32", OBJECTS, direct),
        ("int64", OBJECTS.astype(np.int64) * 10**10, wide),
        ("uint64", OBJECTS.astype(np.uint64) * 10**10, wide),
    ):
        layer = labels(data, opacity=0.5, colormap=colors)
        yield Scene(f"direct {name}", (image(WAVES), layer), tolerance=2)
    seeded = label_colormap(20, 0.3)
    yield Scene("20 colors, seed 0.3", (labels(OBJECTS, colormap=seeded, opacity=1.0),))
    background = label_colormap(49, 0.7, 5)
    yield Scene("background 5", (labels(OBJECTS, colormap=background, opacity=1.0),))
    three = CyclicLabelColormap(np.array([[0, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 1]]))
    yield Scene("cyclic", (labels(OBJECTS, colormap=three, opacity=1.0),))
    yield Scene("cyclic uint8", (labels(OBJECTS.astype("u1"), colormap=three, opacity=1.0),))
    below = image(WAVES, colormap="viridis")
    yield Scene("labels on image", (below, labels(OBJECTS)), tolerance=2)
    yield Scene("added labels", (below, labels(OBJECTS, blending="additive")), tolerance=2)
    channels = (
        image(RAMP, colormap="green", blending="additive"),
        image(WAVES, colormap="magenta", blending="additive"),
    )
    for opacity in (0.3, 0.7, 1.0):
        scene = (*channels, labels(OBJECTS, opacity=opacity))
        yield Scene(f"labels on two channels, opacity {opacity}", scene, tolerance=2)
    for thickness, scale in ((1, 1), (2, 1), (5, 1), (1, 1.5), (2, 2.37), (1, 0.7)):
        layer = labels(OBJECTS, opacity=0.8, contour=thickness)
        name = f"contour {thickness}, scale {scale}"
        yield Scene(name, (image(WAVES), layer), scale, tolerance=2)
    one = labels(OBJECTS, selected_label=7, show_selected_label=True)
    yield Scene("only the selected label", (image(WAVES), one), tolerance=2)


def _colors() -> Iterator[Scene]:
    wide, floats = RGBA.astype(np.uint16) * 257, (RGBA / 255).astype(np.float32)
    for name, data in (
        *(("RGB", RGB), ("RGBA", RGBA), ("RGB uint16", wide[..., :3]), ("RGBA uint16", wide)),
        *(("RGB float32", floats[..., :3]), ("RGBA float32", floats)),
    ):
        yield Scene(name, (image(data, rgb=True),))

    for name, look in (
        ("gamma 0.5", {"gamma": 0.5}),
        ("gamma 2", {"gamma": 2.0}),
        ("limits", {"contrast_limits": (50, 200)}),
    ):
        yield Scene(f"RGB {name}", (image(RGB, rgb=True, **look),))
        yield Scene(f"RGBA {name}", (image(RGBA, rgb=True, **look),))
    below = image(WAVES, colormap="viridis")
    for blending in ("translucent", "additive", "minimum", "multiplicative"):
        layer = image(RGBA, rgb=True, opacity=0.5, blending=blending)
        yield Scene(f"RGBA {blending}", (below, layer), tolerance=2)


def _transforms() -> Iterator[Scene]:
    below, above = {"colormap": "green"}, {"colormap": "magenta", "blending": "additive"}
    small = RAMP[:50, :70]
    for name, first, second in (
        ("twice as coarse", {}, {"scale": (2, 2), "translate": (0.5, 0.5)}),
        (
            "fractions",
            {"scale": (0.3, 0.3)},
            {"scale": (0.65, 0.65), "translate": (3.1, 4.2)},
        ),
        ("moved", {}, {"translate": (30, -20)}),
        (
            "two units",
            {"scale": (0.5, 0.5), "units": ("um", "um")},
            {"scale": (300, 300), "units": ("nm", "nm")},
        ),
        ("hidden and larger", {}, {"scale": (4, 4), "translate": (1.5, 1.5), "visible": False}),
    ):
        pair = (image(WAVES, **below, **first), image(small, **above, **second))
        yield Scene(f"place: {name}", pair)

    for scale in ((2, 1), (1.7, 1), (-1, 1), (-0.5, -1.5)):
        yield Scene(f"scale of the image {scale}", (image(WAVES, scale=scale),))
    for shape in ((1, 90), (90, 1), (1, 1), (3, 2)):
        scene = (image(NOISE[: shape[0], : shape[1]]),)
        yield Scene(f"thin {shape}", scene, 1.0 if max(shape) > 50 else 20.0)


def _scales() -> Iterator[Scene]:
    # where samples of 8 bits are interpolated, OpenGL may do so in 8 bits: in gray that is 1 of 255
    for colormap, data in (("viridis", NOISE), ("gray", WAVES), ("magma", FLOATS)):
        for way, scale in itertools.product(("nearest", "linear"), (2, 0.5, 1.5, 0.7, 2.37)):
            layer = image(data, colormap=colormap, interpolation2d=way)
            yield Scene(f"{way} {data.dtype} at {scale}", (layer,), scale)
    smooth = {"interpolation2d": "linear"}
    yield Scene("linear RGB at 2", (image(RGB, rgb=True, **smooth),), 2)
    coarse = {"scale": (2.3, 2.3), "blending": "additive", **smooth}
    pair = (image(WAVES, colormap="green", **smooth), image(RAMP[:50, :70], **coarse))
    yield Scene("two that are linear", pair)
    yield Scene("labels at 1.5", (labels(OBJECTS, opacity=1.0),), 1.5)


def _levels() -> Iterator[Scene]:
    base = np.random.default_rng(3).integers(0, 65535, (256, 384), dtype=np.uint16)
    pyramid = [base, base[1::2, 1::2] // 2, base[2::4, 2::4] // 4]
    for scale, factor in ((1, 1), (2, 1), (0.5, 2), (0.25, 4)):
        layer = image(pyramid, multiscale=True)
        yield Scene(f"pyramid at {scale}", (layer,), scale, factor=factor)


def _sliders() -> Iterator[Scene]:
    at = {"t": 1}
    film = _rng.integers(0, 255, (3, 5, HEIGHT, WIDTH), dtype=np.uint8)
    grown = np.stack([OBJECTS + k for k in range(5)])
    plain = image(WAVES, colormap="red", blending="additive")
    layers = (image(film), plain, labels(grown, opacity=1.0))
    for place in (0, 3):
        name = f"4D, 2D and 3D, z={place}"
        yield Scene(name, layers, step=(at["t"], place, 0, 0))
    far = image(STACK, colormap="green", blending="additive", translate=(3, 0, 0))
    for place in (1, 4, 6):  # below the second stack, in both, above the first
        yield Scene(f"out of range, z={place}", (image(STACK), far), step=(place, 0, 0))
    coarse = image(STACK, colormap="green", blending="additive", scale=(2.5, 1, 1))
    for place in (3, 6):
        yield Scene(f"coarse in z, z={place}", (image(STACK), coarse), step=(place, 0, 0))
    deep = image(STACK, scale=(4, 1, 1))
    for order, plane in (((1, 0, 2), "z x"), ((0, 2, 1), "x y"), ((2, 1, 0), "y z")):
        yield Scene(f"plane {plane}", (deep,), order=order)
    for name, lazy in (
        ("dask", dask.array.from_array(STACK, (2, 30, 40))),
        ("zarr", zarr.array(STACK, chunks=(2, 30, 40))),
    ):
        yield Scene(f"stack of {name}", (image(lazy),), step=(3, 0, 0))


def _background() -> Iterator[Scene]:
    faint = image(RAMP, colormap="viridis", opacity=0.5)
    yield Scene("light", (faint,), theme="light")
    for blending in ("additive", "minimum", "multiplicative"):
        layers = (faint, image(WAVES, translate=(20, 30), blending=blending, opacity=0.8))
        name = f"light, {blending}"
        yield Scene(name, layers, theme="light", tolerance=2)
    for blending in ("additive", "minimum", "opaque"):
        layer = image(WAVES, colormap="magenta", blending=blending)
        yield Scene(f"light, lowest {blending}", (layer,), theme="light")


GRID = "canvas.grid"
ORIENTATION = "scene.camera.orientation2d"


def _orientations() -> Iterator[Scene]:
    pair = (image(RGB, rgb=True), labels(OBJECTS, opacity=0.5))
    for orientation in (("up", "right"), ("down", "left"), ("up", "left")):
        view = {ORIENTATION: orientation}
        name = " and ".join(orientation)
        yield Scene(f"axes {name}", pair, view=view, tolerance=2)
        mirrored = image(WAVES, scale=(-2, 1), colormap="magma")
        yield Scene(f"mirrored, axes {name}", (mirrored,), view=view)
    view = {ORIENTATION: ("up", "left")}
    deep = image(STACK, scale=(4, 1, 1))
    yield Scene("plane x z, axes up and left", (deep,), order=(1, 2, 0), view=view)
    smooth = image(NOISE, interpolation2d="linear")
    yield Scene("linear at 1.5, axes up and left", (smooth,), 1.5, view=view)


def _grids() -> Iterator[Scene]:
    film = image(STACK, colormap="viridis")
    layers = (
        image(RAMP, colormap="green", blending="additive"),
        image(WAVES, colormap="magenta", blending="additive"),
        image(RGB, rgb=True, opacity=0.6),
        film,
        labels(OBJECTS),
    )
    hidden = (*layers[:2], image(RAMP, visible=False), *layers[3:])
    for name, scene, settings in (
        ("two", layers[:2], {}),
        ("five", layers, {}),
        ("five, one is hidden", hidden, {}),
        ("stride 2", layers, {"stride": 2}),
        ("stride -2", layers, {"stride": -2}),
        ("stride 3, one is hidden", hidden, {"stride": 3}),
        ("1 x 5", layers, {"shape": (1, -1)}),
        ("3 columns", layers, {"shape": (-1, 3)}),
        ("3 x 4", layers, {"shape": (3, 4)}),
        ("1 x 2, more layers than cells", layers, {"shape": (1, 2)}),
        ("7 pixels apart", layers, {"spacing": 7}),
        ("a tenth apart", layers, {"spacing": 0.1, "shape": (1, -1)}),
    ):
        view = {f"{GRID}.{key}": value for key, value in settings.items()}
        yield Scene(f"grid: {name}", scene, view={f"{GRID}.enabled": True, **view}, tolerance=2)
    on = {f"{GRID}.enabled": True}
    yield Scene("grid at 2", layers[:3], 2, view=on, tolerance=2)
    yield Scene("grid, axes up and left", layers[:3], view={**on, ORIENTATION: ("up", "left")})
    moved = (image(WAVES), image(RAMP[:50, :70], scale=(2, 1), translate=(30, -20)))
    yield Scene("grid, layers of several sizes", moved, view=on)
    yield Scene("grid on white", (layers[2], image(WAVES)), view=on, theme="light")


def _thick_slices() -> Iterator[Scene]:
    floats = np.stack([FLOATS * k for k in (0.2, 1, -0.5, 0.3, 0.7)])
    special = floats.copy()
    special[1, 20:40, 30:60], special[3, 50:60] = np.nan, np.inf
    wide = np.random.default_rng(5).integers(0, 2000, (5, HEIGHT, WIDTH), np.uint16)
    for mode in ("mean", "max", "min", "sum"):
        for name, data, limits in (
            ("uint8", STACK, (0, 255)),
            ("uint16", wide, (0, 5000)),
            ("float32", special, (-1, 1)),
        ):
            layer = image(data, projection_mode=mode, contrast_limits=limits, colormap="magma")
            yield Scene(f"{mode} of {name}", (layer,), step=(2, 0, 0), view=_margins(1, 1))
    layer = image(STACK, projection_mode="mean")
    for name, margins, step in (
        ("uneven", (0, 2), 1),
        ("fractions", (0.6, 1.2), 2),
        ("thickness 3", (1.5, 1.5), 2),
        ("at the start", (3, 1), 0),
        ("everything", (10, 10), 3),
        ("no thickness", (0, 0), 3),
    ):
        yield Scene(f"slices: {name}", (layer,), step=(step, 0, 0), view=_margins(*margins))
    plain = image(STACK, colormap="green", blending="additive")
    grown = np.stack([OBJECTS + k for k in range(5)])
    coarse = image(STACK, scale=(2.5, 1, 1), projection_mode="max", blending="additive")
    layers = (coarse, plain, labels(grown))
    thick = _margins(3, 3)
    yield Scene("slices of some layers", layers, step=(6, 0, 0), view=thick, tolerance=2)
    colors = np.stack([np.roll(RGBA, 20 * k, 0) for k in range(4)])
    for mode in ("mean", "max"):
        layer = image(colors, rgb=True, projection_mode=mode)
        yield Scene(f"{mode} of RGBA", (layer,), step=(1, 0, 0), view=_margins(1, 1))
        layer = image(colors[..., :3], rgb=True, projection_mode=mode)
        yield Scene(f"{mode} of RGB", (layer,), step=(1, 0, 0), view=_margins(1, 1))
    smooth = image(STACK, projection_mode="max", interpolation2d="linear")
    yield Scene("linear projection at 2", (smooth,), 2, step=(2, 0, 0), view=_margins(1, 1))


def _margins(before: float, after: float) -> dict[str, Any]:
    return {"dims.margin_left": (before, 0, 0), "dims.margin_right": (after, 0, 0)}


LARGE = 20
"""Scenes of a family that is large."""

FAMILIES: tuple[Callable[[], Iterator[Scene]], ...] = (
    *(_colormaps, _values, _blendings, _labels, _colors, _transforms, _scales, _levels),
    *(_sliders, _background, _orientations, _grids, _thick_slices),
)
