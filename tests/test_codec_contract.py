"""The contract: what every codec does with every kind of image; codecs are found by themselves."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from npe2 import PluginManifest

import napari_ferry
from helpers import (
    assert_same_image,
    assert_same_pixels,
    make_full_image,
    make_image,
    make_sources,
    make_unreadable,
    pixels,
    snapshot,
)
from napari_ferry import imload, imsave, plan
from napari_ferry.arrays import blocks
from napari_ferry.errors import FerryError, InvalidImageError, TargetExistsError
from napari_ferry.image import Axis, Image
from napari_ferry.io.protocol import Codec, Hooks, format_name, hooks_of
from napari_ferry.io.search import codecs, find_codec, find_source_codec

LOSES: dict[str, frozenset[str]] = {".mp4": frozenset({"levels"})}
"""What a format cannot keep, by suffix: fields of an image. A format not named here keeps all."""

REFUSES: dict[str, frozenset[str]] = {
    ".ome.tif": frozenset({"int64", "uint64", "float16"}),
}
"""Types that a format cannot hold, by suffix. A format not named here holds all."""

MOVIES = frozenset(
    suffix for codec in codecs() if hooks_of(codec).IS_MOVIE for suffix in codec.SUFFIXES
)
"""Suffixes of formats that show one image of 8 bits along one axis, and keep no more."""

DTYPES = (
    *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float16", "float32", "float64", "complex64", "complex128", ">u2", ">f4"),
)
AXES = ("yx", "tyx", "zyx", "cyx", "tzyx", "tczyx", "ctzyx", "tzcyx", "zctyx")
OTHER_AXES = ("yxs", "tyxs", "tczyxs", "pyx", "ptczyx", "pqtyx", "iyx", "syx", "stcyx")


def _doors() -> Iterator[tuple[Codec, str]]:
    """Return each codec with its first suffix and its first double one."""
    for codec in codecs():
        double = [suffix for suffix in codec.SUFFIXES if suffix.count(".") > 1]
        for suffix in dict.fromkeys((*codec.SUFFIXES[:1], *double[:1])):
            yield codec, suffix


DOORS = list(_doors())
each_suffix = pytest.mark.parametrize("suffix", [suffix for _, suffix in DOORS])
each_that_keeps_all = pytest.mark.parametrize(
    "suffix", [suffix for _, suffix in DOORS if suffix not in MOVIES]
)


def targets_in(folder: Path) -> set[str]:
    """Return the names of the files in a folder, and of the folders with files."""
    return {Path(name).parts[0] for name in snapshot(folder)}


def nbytes_of(path: Path) -> int:
    """Return the size of a file, or of all files of a folder."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _fitting(suffix: str, axes: str = "tyx") -> Image:
    """Return an image that a format keeps."""
    return make_image(axes, "uint8" if suffix in MOVIES else "uint16")


def _round_trip(image: Image, folder: Path, suffix: str) -> Image:
    """Save and open an image; check what holds of every save, and return what was opened."""
    path = folder / f"cells{suffix}"
    before = set(targets_in(folder))
    made = imsave(image, path)
    assert targets_in(folder) - before == {target.name for target in made}
    planned = plan(image, path)
    assert list(planned.paths) == made
    assert all(nbytes_of(file.path) <= file.nbytes for file in planned.files)
    (found,) = imload(made[0])
    return found


def _assert_kept(found: Image, image: Image, suffix: str, name: str = "cells") -> None:
    lost = {field: getattr(found, field) for field in LOSES.get(suffix, ())}
    assert_same_image(found, replace(image, **lost), name)


@pytest.mark.parametrize("codec", codecs(), ids=format_name)
def test_every_module_is_a_codec(codec: Codec) -> None:
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in codec.SUFFIXES)
    assert list(inspect.signature(codec.open).parameters) == ["path"]
    images, path, *options = inspect.signature(codec.plan).parameters.values()
    assert (images.name, path.name) == ("images", "path")
    assert all(option.kind is option.KEYWORD_ONLY for option in options)


@pytest.mark.parametrize("codec", codecs(), ids=format_name)
def test_every_hook_of_a_codec_is_declared_and_of_its_type(codec: Codec) -> None:
    hooks = vars(hooks_of(codec))
    targets = [
        node.targets[0]
        for node in ast.parse(Path(inspect.getfile(codec)).read_text("utf-8")).body
        if isinstance(node, ast.Assign)
    ]
    constants = {target.id for target in targets if isinstance(target, ast.Name)}
    public = {name for name in constants if name.isupper() and not name.startswith("_")}
    assert {name for name in public if not name.endswith("SUFFIXES")} <= set(hooks), "misspelled?"
    for name, value in hooks.items():
        default = Hooks.__dataclass_fields__[name].default
        assert isinstance(value, type(default)) or (callable(value) and not name.isupper())
        if callable(value):
            parameters = inspect.signature(value).parameters.values()
            given = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
            names = {
                "open_many": ["paths"],
                "open_url": ["url"],
                "open_grid": ["labels"],
                "storage": ["path", "image"],
            }
            assert given == names.get(name, ["path"])
    assert all(suffix in codec.SUFFIXES for suffix in hooks_of(codec).KEEPS_SAMPLES)


def test_the_format_of_a_mixed_folder_is_that_of_the_highest_priority(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.gif").touch()
        (tmp_path / f"{k}.bin").touch()
    assert format_name(find_source_codec(tmp_path)) == "binary"
    (tmp_path / "mean.tif").touch()
    assert format_name(find_source_codec(tmp_path)) == "tiff"


def test_tiff_files_precede_a_recording_of_calscipy_in_the_same_folder(tmp_path: Path) -> None:
    np.arange(24, dtype=np.uint16).tofile(tmp_path / "binary_video")
    (tmp_path / "video_meta.txt").write_text("2,3,4,uint16")
    (tmp_path / "preview.gif").touch()
    assert [image.shape for image in napari_ferry.imload(tmp_path)] == [(2, 3, 4)]
    napari_ferry.save_images(tmp_path / "mean.tif", np.zeros((5, 6), np.uint8))
    assert [image.shape for image in napari_ferry.imload(tmp_path)] == [(5, 6)]


RUN_OPTIONS = ("overwrite", "workers", "progress", "cancel")
"""Options of every save."""


@pytest.mark.parametrize(
    ("save", "codec"),
    [
        (napari_ferry.save_images, "tiff"),
        (napari_ferry.save_binary, "binary"),
        (napari_ferry.save_video, "video"),
        (napari_ferry.save_gif, "gif"),
    ],
)
def test_functions_for_arrays_have_the_options_of_their_format(save: Any, codec: str) -> None:
    (planner,) = [each.plan for each in codecs() if format_name(each) == codec]
    options = {
        p.name: (p.annotation, p.default)
        for p in inspect.signature(planner, eval_str=True).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }
    has = {
        p.name: (p.annotation, p.default)
        for p in inspect.signature(save, eval_str=True).parameters.values()
        if p.name not in ("path", "images", "name", *RUN_OPTIONS)
    }
    assert has == options
    assert all(f"\n{name} : " in save.__doc__ for name in options)
    assert "{options}" not in save.__doc__
    assert set(RUN_OPTIONS) <= set(inspect.signature(save).parameters)


@each_that_keeps_all
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axes", ["tyx", "yx"])
def test_a_type_is_preserved_or_refused(suffix: str, dtype: str, axes: str, tmp_path: Path) -> None:
    image = make_image(axes, dtype)
    if np.dtype(dtype).name in REFUSES.get(suffix, ()):
        with pytest.raises(InvalidImageError, match=np.dtype(dtype).name):
            imsave(image, tmp_path / f"cells{suffix}")
        assert not snapshot(tmp_path)
    else:
        assert_same_pixels(_round_trip(image, tmp_path, suffix).array, image.array)


@each_suffix
@pytest.mark.parametrize("dtype", ["U3", "O", "V4", "M8[s]", "m8[s]", "S2"])
def test_arrays_without_numbers_are_refused(suffix: str, dtype: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError):
        imsave(np.zeros((3, 4, 5), dtype), tmp_path / f"cells{suffix}")
    assert not snapshot(tmp_path)


@each_that_keeps_all
@pytest.mark.parametrize("axes", [*AXES, *OTHER_AXES])
def test_axes_are_preserved(suffix: str, axes: str, tmp_path: Path) -> None:
    image = make_image(axes, "uint8" if "s" in axes else "uint16")
    _assert_kept(_round_trip(image, tmp_path, suffix), image, suffix)


@each_that_keeps_all
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("axes", ["yxs", "tyxs", "zyxs"])
def test_colors_are_preserved(
    suffix: str, dtype: str, samples: int, axes: str, tmp_path: Path
) -> None:
    image = make_image(axes, dtype, s=samples)
    _assert_kept(_round_trip(image, tmp_path, suffix), image, suffix)


@each_that_keeps_all
@pytest.mark.parametrize("axes", ["tyx", "tczyx", "cyx", "zyx"])
@pytest.mark.parametrize("size", [1, 3, 4])
def test_axes_of_any_length_are_preserved(
    suffix: str, axes: str, size: int, tmp_path: Path
) -> None:
    image = make_image(axes, **dict.fromkeys(axes[:-2], size))
    _assert_kept(_round_trip(image, tmp_path, suffix), image, suffix)


@each_that_keeps_all
@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 7), (7, 1), (1, 1, 1), (1, 1, 1, 1, 1), (2, 3), (5, 3, 3), (3, 17, 4)]
)
def test_odd_sizes_are_preserved(suffix: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    image = Image.from_array(pixels(shape))
    _assert_kept(_round_trip(image, tmp_path, suffix), image, suffix)


@each_that_keeps_all
@pytest.mark.parametrize("axes", ["tyx", "tczyx", "ctzyx"])
@pytest.mark.parametrize("small_blocks", [False, True])
def test_every_source_is_saved_as_the_same_image(
    suffix: str, axes: str, small_blocks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if small_blocks:
        monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
        monkeypatch.setattr("napari_ferry.saving.uncompressed._WRITE_BYTES", 250)
    image = make_full_image(axes)
    for name, source in make_sources(np.asarray(image.array), tmp_path).items():
        folder = tmp_path / name
        folder.mkdir()
        found = _round_trip(replace(image, levels=(source,)), folder, suffix)
        _assert_kept(found, image, suffix)


@each_that_keeps_all
@pytest.mark.parametrize("axes", ["tczyx", "zctyx", "tyx", "yx", "cyx", "tyxs", "pzyx"])
@pytest.mark.parametrize("kind", ["image", "labels"])
def test_metadata_are_preserved(suffix: str, axes: str, kind: Any, tmp_path: Path) -> None:
    image = make_full_image(axes, "uint8" if "s" in axes else "uint16", kind)
    _assert_kept(_round_trip(image, tmp_path, suffix), image, suffix)
    assert not [
        loss for loss in plan(image, tmp_path / f"other{suffix}").losses if "axis p" not in loss
    ]


@each_suffix
def test_losses_are_reported(suffix: str, tmp_path: Path) -> None:
    image = make_image("tyx")
    strange = replace(image, metadata={"fine": 1, "strange": object()}, levels=(image.array,) * 2)
    losses = " ".join(plan(strange, tmp_path / f"cells{suffix}").losses)
    assert "strange" in losses
    assert "fine" not in losses
    assert "pyramid" in losses


@each_suffix
def test_planning_reads_no_pixels(suffix: str, tmp_path: Path) -> None:
    axes = "tyx" if suffix in MOVIES else "tczyx"
    image = make_full_image(axes)
    image = replace(image, levels=(make_unreadable(image.shape, lead=len(axes) - 2),))
    planned = plan(image, tmp_path / f"cells{suffix}")
    assert planned.nframes == np.prod(image.shape[:-2])
    assert suffix in MOVIES or planned.nbytes >= image.nbytes
    assert planned.fingerprint == plan(image, tmp_path / f"cells{suffix}").fingerprint
    assert not snapshot(tmp_path)


class _Opaque:
    """An array of another library, of which nothing but the protocol is known."""

    shape, dtype, ndim = (4, 5, 6), np.dtype("uint16"), 3

    def __getitem__(self, key: object) -> NoReturn:
        raise AssertionError("it was read")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        raise AssertionError("it was read")


@each_suffix
def test_planning_reads_no_pixels_of_foreign_arrays(suffix: str, tmp_path: Path) -> None:
    assert plan(_Opaque(), tmp_path / f"cells{suffix}").nframes == 4


@each_suffix
@pytest.mark.parametrize("shape", [(0, 5, 6), (3, 0, 6), (3, 5, 0), (0, 0), (2, 0, 3, 4, 5)])
def test_an_empty_image_is_refused_before_the_target_is_touched(
    suffix: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    imsave(make_image("tyx"), tmp_path / f"cells{suffix}")
    before = snapshot(tmp_path)
    with pytest.raises(InvalidImageError, match="no pixels"):
        imsave(np.zeros(shape, "uint16"), tmp_path / f"cells{suffix}", overwrite=True)
    assert snapshot(tmp_path) == before


@each_suffix
@pytest.mark.parametrize("shape", [(), (5,)])
def test_an_array_without_a_plane_is_refused(
    suffix: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    with pytest.raises(InvalidImageError, match="two dimensions"):
        imsave(np.zeros(shape), tmp_path / f"cells{suffix}")
    assert not snapshot(tmp_path)


@each_that_keeps_all
@pytest.mark.parametrize("axes", ["xy", "yxs", "yxc", "xyt", "yxt", "tsyx"])
def test_planes_in_another_order_are_preserved_or_refused(
    suffix: str, axes: str, tmp_path: Path
) -> None:
    image = make_image(axes, s=2)
    try:
        found = _round_trip(image, tmp_path, suffix)
    except InvalidImageError:
        assert not snapshot(tmp_path)
    else:
        _assert_kept(found, image, suffix)


@each_suffix
def test_opening_never_writes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cells{suffix}"
    first = imsave(make_full_image("tyx" if suffix in MOVIES else "tczyx"), path)[0]
    before = snapshot(tmp_path)
    folders = [tmp_path] if hooks_of(find_codec(path)).FOLDER_PRIORITY else []
    for target in (first, *folders):
        (image,) = imload(target)
        image.load()
        rank = 2 if suffix in MOVIES else 3
        image.extract_patch(0, None, (-1, 2, 3)[-rank:], (3, 4, 5)[-rank:])
    assert snapshot(tmp_path) == before


@each_suffix
def test_changes_of_an_opened_image_do_not_change_the_file(suffix: str, tmp_path: Path) -> None:
    image = _fitting(suffix)
    found = _round_trip(image, tmp_path, suffix)
    before = snapshot(tmp_path)
    for part in (found.array, found.array[0], found.array[1:2]):
        try:
            part[...] = 0
        except (TypeError, ValueError):
            continue
    assert snapshot(tmp_path) == before


@each_that_keeps_all
def test_nothing_is_replaced_without_overwrite(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cells{suffix}"
    imsave(make_image("tyx"), path)
    before = snapshot(tmp_path)
    with pytest.raises(TargetExistsError, match=path.name):
        imsave(make_image("zyx"), path)
    assert snapshot(tmp_path) == before
    other = make_full_image("zyx", "float32")
    imsave(other, path, overwrite=True)
    assert_same_image(imload(path)[0], other)


@each_suffix
def test_a_failed_save_leaves_the_old_files(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cells{suffix}"
    imsave(make_image("tyx"), path)
    before = snapshot(tmp_path)
    with pytest.raises(FerryError, match=r"frame [01] was read"):
        imsave(make_unreadable((2, 5, 7)), path, overwrite=True)
    assert snapshot(tmp_path) == before


@each_that_keeps_all
def test_an_opened_image_can_be_saved_over_itself(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cells{suffix}"
    image = make_full_image()
    imsave(image, path)
    (opened,) = imload(path)
    turned = replace(opened, axes=(Axis("z"), *opened.axes[1:2], Axis("t"), *opened.axes[3:]))
    imsave(turned, path, overwrite=True)
    assert_same_image(imload(path)[0], replace(image, axes=turned.axes))


@each_suffix
@pytest.mark.parametrize("spelling", [str.upper, str.title])
def test_a_suffix_may_be_spelled_in_any_case(suffix: str, spelling: Any, tmp_path: Path) -> None:
    image = _fitting(suffix)
    _assert_kept(_round_trip(image, tmp_path, spelling(suffix)), image, suffix)


@each_suffix
@pytest.mark.parametrize(
    "stem", ["a b", "exp_1.5um", "-x", "日本語 µ", ".hidden", "a_00001", "%d*?["]
)
def test_any_name_can_be_saved(suffix: str, stem: str, tmp_path: Path) -> None:
    image = _fitting(suffix)
    made = imsave(image, tmp_path / f"{stem}{suffix}")
    assert targets_in(tmp_path) == {path.name for path in made}
    (found,) = imload(made[0])
    _assert_kept(found, image, suffix, stem)


@each_suffix
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"<html>", b"II*\0", b"{}"])
def test_other_files_are_refused(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"cells{suffix}"
    path.write_bytes(content)
    with pytest.raises(FerryError, match="cells"):
        imload(path)
    assert path.read_bytes() == content


def test_the_manifest_has_the_suffixes_of_the_codecs() -> None:
    manifest = PluginManifest.from_file(Path(napari_ferry.__file__).with_name("napari.yaml"))
    suffixes = {suffix for codec in codecs() for suffix in codec.SUFFIXES}
    written = [suffix for w in manifest.contributions.writers for suffix in w.filename_extensions]
    assert set(written) == suffixes
    read = [pattern for r in manifest.contributions.readers for pattern in r.filename_patterns]
    opened = suffixes | {s for codec in codecs() for s in hooks_of(codec).ALSO_OPENS}
    claimed = {"*.json", "*.hdr", "*.img", "*.bsq", "*.bil", "*.bip", "*Experiment.xml"}
    claimed |= {"*zarr.json", "*.zarr/*"}
    numbered = {pattern for pattern in read if "[0-9]" in pattern}
    left_to_napari = {"*.png"}  # which would ask for a reader of each single picture
    patterns = {f"*{suffix}" for suffix in opened}
    assert set(read) - claimed - numbered == patterns - left_to_napari
