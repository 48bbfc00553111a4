"""What readers that nobody here wrote see in the TIFF files that are written here.

All files are written first, and each reader is started once for all of them; see `judges`. A new
way of writing is a line in `WAYS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from foreign_readers import Seen, ask_bio_formats, ask_imagej, ask_javascript, ask_libtiff, ask_viv
from helpers import make_full_image, make_image, pixels
from napari_ferry import Axis, Channel, Image, imload, imsave

WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "zlib": {"compression": "zlib"},
    "lzw": {"compression": "lzw"},
    "zstd": {"compression": "zstd"},
}
"""Ways of writing: a name, and the options of `imsave`."""

BLIND = {"ImageJ": {"zstd"}, "UTIF": {"zstd"}, "Viv": {"zstd"}}
"""Ways that a reader does not know."""

LETHAL = "lzw wide"
"""The OME-TIFF that UTIF dies of, where libtiff and Bio-Formats read it; others die along."""

OME_DTYPES = ["bool", "int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64"]
OME_DTYPES += [">u2", ">f4"]
IMAGEJ_DTYPES = ["uint8", "uint16", "float32", ">u2", ">f4"]
ORDERS = ["yx", "tyx", "cyx", "zyx", "tzcyx", "ztcyx", "czyx", "cztyx", "zctyx"]
NAMES = ("GFP", "a <-> \"x\" & 'y'", "Ähtäri, µm", "赤い細胞", "🔬", "1", "\\d{5}")
RANDOM = 30

OME_TYPES = {"bool": "uint8", "float32": "float", "float64": "double"}
MICROMETERS = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "inch": 25400.0}
SECONDS = {"millisecond": 1e-3, "second": 1.0, "minute": 60.0}

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """Images, the suffix of the file they are saved to, and how."""

    images: tuple[Image, ...]
    suffix: str
    way: str = "plain"
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> Image:
        (image,) = self.images
        return image

    def save(self, path: Path) -> list[Path]:
        return imsave(list(self.images), path, **WAYS[self.way], **self.options)

    def in_file_order(self) -> list[Pixels]:
        """Return the pixels as they lie in the file, image by image."""
        order = "tzcyxs" if self.suffix == ".tif" else ""
        return [turned(image, order or "".join(image.axis_names)) for image in self.images]


def calibrate(image: Image, **steps: tuple[float, str]) -> Image:
    said = {name: Axis(name, *step) for name, step in steps.items()}
    return replace(image, axes=tuple(said.get(axis.name, axis) for axis in image.axes))


def random_image(rng: np.random.Generator, dtypes: Sequence[str], samples: int) -> Image:
    """Return an image with axes in any order, any of the types, any names and calibration."""
    # of a color hyperstack, Bio-Formats takes channels for times, so colors have none here
    known = [name for name in "tzc" if name != "c" or samples == 1]
    lead = [str(name) for name in rng.permutation(known)[: rng.integers(0, len(known) + 1)]]
    sizes = [*rng.integers(1, 5, len(lead)), *rng.integers(1, 60, 2), *[samples] * (samples > 1)]
    array = pixels(tuple(map(int, sizes)), str(rng.choice(dtypes)), int(rng.integers(1 << 30)))
    image = Image.from_array(array, [*lead, "y", "x", *["s"] * (samples > 1)])
    units = {"t": SECONDS} | dict.fromkeys("zyx", MICROMETERS)
    steps = {
        name: (float(10 ** rng.uniform(-2, 2)), str(rng.choice(list(table))))
        for name, table in units.items()
        if rng.random() < 0.7
    }
    looks = tuple(Channel(str(rng.choice(NAMES))) for _ in range(image.size("c")))
    named = replace(image, name=str(rng.choice(NAMES)), channels=looks if "c" in lead else ())
    return calibrate(named, **steps)


def each_way(suffix: str, dtypes: Iterable[str]) -> Iterator[tuple[str, Case]]:
    wide = make_image("yx", y=300, x=4500)
    for way in WAYS:
        for dtype in dtypes:
            yield f"{way} {dtype}", Case((make_image("tczyx", dtype),), suffix, way)
        options = {"pyramid": False} if suffix == ".ome.tif" else {}
        yield f"{way} wide", Case((wide,), suffix, way, options)
        yield f"{way} color", Case((make_image("tyxs", "uint8", y=90),), suffix, way)


def ome_cases() -> Iterator[tuple[str, Case]]:
    suffix = ".ome.tif"
    yield from each_way(suffix, OME_DTYPES)
    for way in WAYS:
        yield f"{way} alpha", Case((make_image("zyxs", "uint16", s=4),), suffix, way)
        images = (make_full_image(), make_image("yx", "float32"), make_image("zyxs", "uint8"))
        yield f"{way} several", Case(images, suffix, way)
    for axes in ORDERS:
        yield axes, Case((make_full_image(axes),), suffix)
    rng = np.random.default_rng(20)
    for i in range(RANDOM):
        image = random_image(rng, OME_DTYPES, (1, 1, 3, 4)[i % 4])
        yield f"random {i}", Case((image,), suffix, str(rng.choice(list(WAYS))))


def imagej_cases() -> Iterator[tuple[str, Case]]:
    suffix = ".tif"
    yield from each_way(suffix, IMAGEJ_DTYPES)
    for axes in ORDERS:
        yield axes, Case((make_full_image(axes),), suffix)
    calibrations = {
        "only x": {"x": (0.5, "micrometer")},
        "only z": {"z": (2.5, "micrometer")},
        "only t": {"t": (20.0, "millisecond")},
        "no z": {"y": (0.25, "micrometer"), "x": (0.5, "micrometer")},
        "nanometers": dict.fromkeys("zyx", (4.0, "nanometer")),
        "inches": dict.fromkeys("zyx", (0.01, "inch")),
        "mixed": {"z": (1e-3, "millimeter"), "y": (250, "nanometer"), "x": (0.5, "micrometer")},
    }
    for name, steps in calibrations.items():
        yield name, Case((calibrate(make_image("tzyx"), **steps),), suffix)
    rng = np.random.default_rng(21)
    for i in range(RANDOM):
        is_color = i % 4 == 0
        dtypes = ["uint8"] if is_color else IMAGEJ_DTYPES
        image = random_image(rng, dtypes, 3 if is_color else 1)
        yield f"random {i}", Case((image,), suffix, str(rng.choice(list(WAYS))))


CAP = 50_000
"""Size cap of the series, in bytes: a few planes."""


def series_cases() -> Iterator[tuple[str, Case]]:
    capped = {"size_cap": CAP / 1e9}
    movie = replace(make_full_image("tczyx"), levels=(pixels((6, 2, 4, 40, 50)),))
    stack = make_image("zyx", z=19, y=50, x=60)
    for way in WAYS:
        yield f"{way} one", Case((movie,), ".ome.tif", way, capped)
        yield f"{way} two", Case((movie, stack), ".tif", way, capped)


def pyramid_cases() -> Iterator[tuple[str, Case]]:
    image = replace(make_image("zyx", "uint8", z=2, y=300, x=2100), name="slide")
    for way in WAYS:
        yield way, Case((image,), ".ome.tif", way, {"pyramid": True})


def other_cases() -> Iterator[tuple[str, Case]]:
    """Types that ImageJ and Bio-Formats do not know."""
    for way in WAYS:
        for dtype in ("complex64", "complex128"):
            yield f"{way} {dtype}", Case((make_image("tyx", dtype),), ".ome.tif", way)
        for dtype in ("int64", "uint64", "float16"):
            yield f"{way} {dtype}", Case((make_image("tyx", dtype),), ".tif", way)


FAMILIES = {
    "ome": dict(ome_cases()),
    "imagej": dict(imagej_cases()),
    "series": dict(series_cases()),
    "pyramid": dict(pyramid_cases()),
    "other": dict(other_cases()),
}

Written = dict[str, dict[str, list[Path]]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The files of every case, by the name of its family and its own."""
    found: Written = {}
    for family, cases in FAMILIES.items():
        folder = tmp_path_factory.mktemp(family)
        found[family] = {
            name: case.save(folder / f"{i}{case.suffix}")
            for i, (name, case) in enumerate(cases.items())
        }
    return found


def paths_of(written: Written, *families: str) -> list[Path]:
    return [path for name in families for paths in written[name].values() for path in paths]


def asked(family: str, written: Written) -> list[tuple[Path, str, Case]]:
    """Return the files of a family that geotiff.js and UTIF are asked about."""
    found = [(written[family][name][0], name, case) for name, case in FAMILIES[family].items()]
    return [(path, name, case) for path, name, case in found if (family, name) != ("ome", LETHAL)]


@pytest.fixture(scope="module")
def bio_formats(written: Written) -> Seen:
    return ask_bio_formats(paths_of(written, "ome", "imagej", "series", "pyramid"))


@pytest.fixture(scope="module")
def imagej(written: Written) -> Seen:
    return ask_imagej(paths_of(written, "imagej"))


@pytest.fixture(scope="module")
def libtiff(written: Written) -> Seen:
    return ask_libtiff(paths_of(written, *FAMILIES))


@pytest.fixture(scope="module")
def javascript(written: Written, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    paths = [path for family in ("ome", "imagej") for path, _, _ in asked(family, written)]
    return ask_javascript(paths, tmp_path_factory.mktemp("javascript"))


def turned(image: Image, order: str) -> Pixels:
    """Return the pixels with all axes, in an order; truth values as they are stored."""
    data = np.asarray(image.array)
    data = data.view(np.uint8) if data.dtype == bool else data
    names = [*(name for name in order if name not in image.axis_names), *image.axis_names]
    data = data.reshape((1,) * (len(names) - data.ndim) + data.shape)
    return data.transpose([names.index(name) for name in order])


def digest(arrays: Iterable[Pixels]) -> str:
    """Return the hash of pixels, in C order and little-endian."""
    found = hashlib.sha256()
    for data in arrays:
        found.update(np.ascontiguousarray(data, data.dtype.newbyteorder("<")).tobytes())
    return found.hexdigest()


def first_plane(image: Image) -> Pixels:
    """Return the pixels at the first index of every axis but those of a plane."""
    return turned(image, "tczyxs")[0, 0, 0]


def step(image: Image, name: str, table: dict[str, float]) -> float | None:
    axis = image.axis(name) or Axis(name)
    return axis.scale * table[axis.unit] if axis.unit else None


def micrometers(image: Image, *, is_imagej: bool) -> list[float | None]:
    """Return the steps along z y x; ImageJ has no word for one of y and x alone."""
    z, y, x = (step(image, name, MICROMETERS) for name in "zyx")
    return [z, None, None] if is_imagej and None in (y, x) else [z, y, x]


def about(values: Iterable[float | None]) -> list[Any]:
    return [value if value is None else pytest.approx(value, rel=1e-5) for value in values]


def assert_is_series(seen: dict[str, Any], image: Image, *, is_imagej: bool = False) -> None:
    """Compare a series of Bio-Formats with the image that it shall be."""
    assert seen["error"] is None
    samples, dtype = image.size("s"), image.dtype.name
    assert (seen["rgb"], seen["type"]) == (samples, OME_TYPES.get(dtype, dtype))
    sizes = {name.upper(): image.size(name) for name in "tzyx"} | {"C": image.size("c") * samples}
    assert {name: seen[name] for name in sizes} == sizes
    assert seen["um"] == about(micrometers(image, is_imagej=is_imagej))
    assert [seen["dt_s"] and float(seen["dt_s"])] == about([step(image, "t", SECONDS)])
    if not is_imagej:  # of an ImageJ hyperstack, Bio-Formats takes no names
        assert seen["name"] == (image.name or None)
        looks = image.channels or (Channel(),) * image.size("c")
        assert seen["channels"] == [channel.name for channel in looks]
    assert seen["sha256_TCZYXS_le"] == digest([turned(image, "tczyxs")])


@pytest.mark.parametrize("name", FAMILIES["ome"])
def test_bio_formats_reads_ome_tiff(name: str, written: Written, bio_formats: Seen) -> None:
    (path,), images = written["ome"][name], FAMILIES["ome"][name].images
    seen = bio_formats[path]
    assert seen.get("error") is None
    assert seen["format"] == "OME-TIFF"
    for series, image in zip(seen["series"], images, strict=True):
        assert_is_series(series, image)


@pytest.mark.parametrize("name", FAMILIES["imagej"])
def test_bio_formats_reads_hyperstacks(name: str, written: Written, bio_formats: Seen) -> None:
    (path,) = written["imagej"][name]
    assert bio_formats[path].get("error") is None
    (series,) = bio_formats[path]["series"]
    assert_is_series(series, FAMILIES["imagej"][name].image, is_imagej=True)


@pytest.mark.parametrize("name", FAMILIES["series"])
def test_bio_formats_reads_a_whole_series_from_any_part(
    name: str, written: Written, bio_formats: Seen
) -> None:
    paths, images = written["series"][name], FAMILIES["series"][name].images
    assert len(paths) > 2
    for path in paths:
        assert path.stat().st_size <= CAP
        assert bio_formats[path].get("error") is None
        for series, image in zip(bio_formats[path]["series"], images, strict=True):
            assert_is_series(series, image)


@pytest.mark.parametrize("name", FAMILIES["pyramid"])
def test_bio_formats_reads_pyramids(name: str, written: Written, bio_formats: Seen) -> None:
    (path,), image = written["pyramid"][name], FAMILIES["pyramid"][name].image
    assert bio_formats[path].get("error") is None
    full, *smaller = bio_formats[path]["series"]
    assert_is_series(full | {"name": image.name}, image)  # it numbers the levels in their names
    (opened,) = imload(path)
    assert [level.shape for level in opened.levels[1:]] == [(2, 150, 1050), (2, 75, 525)]
    for series, level in zip(smaller, opened.levels[1:], strict=True):
        assert (series["Z"], series["Y"], series["X"]) == level.shape
        assert series["sha256_TCZYXS_le"] == digest([np.asarray(level)])


@pytest.mark.parametrize(
    "name",
    [name for name, case in FAMILIES["imagej"].items() if case.way not in BLIND["ImageJ"]],
)
def test_imagej_reads_hyperstacks(name: str, written: Written, imagej: Seen) -> None:
    (path,), image = written["imagej"][name], FAMILIES["imagej"][name].image
    seen = imagej[path]
    assert seen.get("error") is None
    assert {n: seen[n] for n in "TZCYX"} == {n: image.size(n.lower()) for n in "TZCYX"}
    assert seen["bits"] == image.dtype.itemsize * 8 * image.size("s")
    z, y, x = micrometers(image, is_imagej=True)
    assert seen["voxel_zyx"] == about([z or 1, y or 1, x or 1])
    assert seen["unit"] == ("micron" if x else "pixel")
    assert seen["finterval"] == pytest.approx(step(image, "t", SECONDS) or 0)
    assert seen["sha256_TZCYX_le"] == digest([turned(image, "tzcyxs")])


@pytest.mark.parametrize("family", FAMILIES)
def test_libtiff_decodes_every_page(family: str, written: Written, libtiff: Seen) -> None:
    for name, case in FAMILIES[family].items():
        seen = [libtiff[path] for path in written[family][name]]
        assert [found["error"] for found in seen] == [None] * len(seen), name
        planes = sum(image.size("t") * image.size("z") * image.size("c") for image in case.images)
        assert sum(found["pages"] for found in seen) == planes, name


@pytest.mark.parametrize("family", ["ome", "imagej"])
def test_geotiff_reads_every_page(
    family: str, written: Written, javascript: dict[str, Seen]
) -> None:
    for path, name, case in asked(family, written):
        seen = javascript["geotiff"][path]
        assert seen.get("error") is None, name
        assert seen["sha256"] == digest(case.in_file_order()), name


@pytest.mark.parametrize("family", ["ome", "imagej"])
def test_utif_reads_the_first_page(
    family: str, written: Written, javascript: dict[str, Seen]
) -> None:
    for path, name, case in asked(family, written):
        is_little = path.read_bytes()[:2] == b"II"  # UTIF turns big-endian pixels, but not floats
        if is_little and case.way not in BLIND["UTIF"]:
            seen = javascript["utif2"][path]
            assert seen.get("error") is None, name
            assert seen["sha256"] == digest([first_plane(case.images[0])]), name


@pytest.mark.parametrize(
    ("family", "name"),
    [
        *(("ome", name) for name in ("zctyx", "plain float32")),
        *(("pyramid", way) for way in WAYS if way not in BLIND["Viv"]),
    ],
)
def test_viv_opens_ome_tiff(
    family: str, name: str, written: Written, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (path,), image = written[family][name], FAMILIES[family][name].image
    seen = ask_viv([path], tmp_path_factory.mktemp("viv"))[path]
    assert seen.get("error") is None
    sizes = {label: image.size(label) for label in "tczyx"}
    assert dict(zip(seen["labels"], seen["shape"], strict=True)) == sizes
    assert seen["dtype"].lower() == image.dtype.name
    assert seen["levels"] == (3 if family == "pyramid" else 1)
    assert [seen["meta"].get("px")] == about([step(image, "x", MICROMETERS)])
    assert seen["sha"] == digest([first_plane(image)])
