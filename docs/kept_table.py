"""Write the table of ``kept.md``: images are saved in each format, opened again and compared.

A change that no loss of the plan names is an error: nothing may get lost without being reported.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_ferry import Axis, Channel, FerryError, Image, imload, imsave, plan

PAGE = Path(__file__).with_name("kept.md")
BEGIN, END = "<!-- written by kept_table.py -->\n", "<!-- end of the table -->\n"

FORMATS = (".tif", ".ome.tif", ".ome.zarr", ".bin", ".png", ".apng", ".gif", ".mkv", ".mp4")

SIZES = {"t": 3, "c": 2, "z": 3, "p": 2, "y": 16, "x": 24, "s": 3}
AXES = {
    "t": Axis("t", 0.1, "second"),
    "z": Axis("z", 2.0, "micrometer"),
    "y": Axis("y", 0.5, "micrometer"),
    "x": Axis("x", 0.5, "micrometer"),
}


class Feature(NamedTuple):
    """Something that an image has: its name, images that have it, and how to read it."""

    name: str
    images: Sequence[Image]
    read: Callable[[Sequence[Image]], Any]


class Cell(NamedTuple):
    """Result for a feature in a format: a mark, and sentences about it."""

    mark: str
    notes: tuple[str, ...] = ()


def make(axes: str = "tyx", dtype: str = "uint8", **sizes: int) -> Image:
    """Return an image of noise with the given axes."""
    shape = tuple((SIZES | sizes)[name] for name in axes)
    kind, noise = np.dtype(dtype).kind, np.random.default_rng(0)
    if kind in "fc":
        pixels = noise.normal(0, 100, shape).astype(dtype)
        pixels[..., 0, 0] = np.nan if kind == "f" else 1j
    else:
        high = 2 if kind == "b" else np.iinfo(dtype).max
        pixels = noise.integers(0, high, shape, "uint64").astype(dtype)
    return Image((pixels,), tuple(AXES.get(name, Axis(name)) for name in axes), name="cells")


def pixels_of(images: Sequence[Image]) -> Any:
    """Return the shape, type and bytes of the first image."""
    pixels = np.asarray(images[0])
    return pixels.shape, pixels.dtype.name, pixels.tobytes()


def steps_of(*names: str) -> Callable[[Sequence[Image]], Any]:
    """Return a reader of the scale, unit and translation of axes."""
    return lambda images: [axis for axis in images[0].axes if axis.name in names]


def looks(*keys: str) -> Callable[[Sequence[Image]], Any]:
    """Return a reader of display settings."""
    return lambda images: [images[0].display.get(key) for key in keys]


def _pixel_features() -> list[Feature]:
    types = {
        "8-bit gray": "uint8",
        "16-bit gray": "uint16",
        "black and white (bool)": "bool",
        "signed or 32-bit integers": "int32",
        "64-bit integers": "int64",
        "32- and 64-bit floats, with NaN": "float32",
        "16-bit floats": "float16",
        "complex numbers": "complex64",
    }
    features = [Feature(name, [make(dtype=dtype)], pixels_of) for name, dtype in types.items()]
    return [
        *features,
        Feature("8-bit color", [make("tyxs")], pixels_of),
        Feature("transparency", [make("tyxs", s=4)], pixels_of),
        Feature("16-bit color", [make("tyxs", "uint16")], pixels_of),
    ]


def _axis_features() -> list[Feature]:
    moved = make().replace(translation={"y": 100.5, "x": -3})
    return [
        Feature("a z-stack", [make("zyx")], pixels_of),
        Feature("z-stacks over time", [make("tzyx")], pixels_of),
        Feature("several channels", [make("tcyx")], pixels_of),
        Feature("axes of other names", [make("pyx")], lambda images: images[0].axis_names),
        Feature("pixel size and unit", [make()], steps_of("y", "x")),
        Feature("pixels that are not square", [make().replace(scale={"y": 1})], steps_of("y", "x")),
        Feature("time between frames", [make()], steps_of("t")),
        Feature("distance of planes", [make("zyx")], steps_of("z")),
        Feature("position of the image", [moved], steps_of("y", "x")),
    ]


def _metadata_features() -> list[Feature]:
    colored = replace(
        make("tcyx"), channels=(Channel("GFP", "#00ff00", (1, 99)), Channel("µ", "#ff0080", (0, 9)))
    )
    limits = replace(make(), display={"contrast_limits": [10.0, 200.0]})
    colormap = replace(make(), display={"colormap": "inferno", "gamma": 0.5})
    noted = replace(make(), metadata={"objective": "20x", "laser": [488, 561]})
    labels = replace(make(dtype="uint16"), kind="labels")
    return [
        Feature("name", [make().replace(name="cells of Ähtäri")], lambda images: images[0].name),
        Feature("names and colors of channels", [colored], lambda images: images[0].channels),
        Feature("contrast limits", [limits], looks("contrast_limits")),
        Feature("colormap and gamma", [colormap], looks("colormap", "gamma")),
        Feature("labels", [labels], lambda images: (images[0].kind, pixels_of(images))),
        Feature(
            "other metadata",
            [noted],
            lambda images: [images[0].metadata.get(key) for key in noted.metadata],
        ),
        Feature(
            "several images in one file",
            [make(), make(y=8)],
            lambda images: [image.shape for image in images],
        ),
    ]


FEATURES = [*_pixel_features(), *_axis_features(), *_metadata_features()]


def judge(feature: Feature, suffix: str, folder: Path) -> Cell:
    """Save and open the images of a feature, and say what became of it.

    Raises
    ------
    AssertionError
        A change is not among the losses of the plan.
    """
    path = folder / f"cells{suffix}"
    try:
        notes: tuple[str, ...] = plan(feature.images, path).losses
        opened = imload(imsave(feature.images, path)[0])
    except FerryError as error:
        return Cell("✗", (str(error),))
    is_kept = feature.read(opened) == feature.read(feature.images)
    if not is_kept and not notes:
        raise AssertionError(f"{suffix} loses this unsaid: {feature.name}")
    if feature.read is not pixels_of:  # what the format does to all pixels says nothing here
        common = plan(make(), path.with_stem("plain")).losses
        notes = tuple(note for note in notes if note not in common)
    return Cell("✓" if is_kept else "–", notes)


def make_column(suffix: str) -> dict[str, Cell]:
    """Return what becomes of each feature in a format."""
    cells = {}
    with warnings.catch_warnings(action="ignore"), tempfile.TemporaryDirectory() as root:
        for number, feature in enumerate(FEATURES):
            folder = Path(root, str(number))
            folder.mkdir()
            mark, notes = judge(feature, suffix, folder)
            dtype = feature.images[0].dtype.name
            cells[feature.name] = Cell(mark, tuple(general(note, dtype) for note in notes))
    return cells


def general(note: str, dtype: str) -> str:
    """Return a sentence without what depends on the image: its type, counts and numbers."""
    note = re.sub(rf"\b{dtype}\b(?= is scaled|:|$)", "this type", note)
    note = re.sub(r"of \d+ frames", "of some frames", note)
    note = re.sub(r"between \d[\d.]* and \d[\d.]*, the", "between the", note)
    return re.sub(r"but \d+ were given", "but several were given", note)


def describe(columns: Mapping[str, Mapping[str, Cell]]) -> str:
    """Return the table of all formats, and the list of its notes, in Markdown."""
    numbers: dict[str, int] = {}
    rows = []
    for feature in FEATURES:
        row = []
        for cells in columns.values():
            cell = cells[feature.name]
            own = {numbers.setdefault(note, len(numbers) + 1) for note in cell.notes}
            row.append(" ".join([cell.mark, ", ".join(map(str, sorted(own)))]).strip())
        rows.append(f"| {feature.name} | {' | '.join(row)} |")
    head = [f"| | {' | '.join(f'`{suffix}`' for suffix in columns)} |", "|---" * 10 + "|"]
    notes = [f"{number}. {text}" for text, number in numbers.items()]
    return "\n".join([*head, *rows, "", "### Notes of the table", "", *notes, ""])


def main() -> None:
    """Write the table into the page, unless it is there already."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    table = describe({suffix: make_column(suffix) for suffix in FORMATS})
    text = f"{before}{BEGIN}\n{table}\n{END}{after}"
    if text != PAGE.read_text("utf-8"):
        PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
