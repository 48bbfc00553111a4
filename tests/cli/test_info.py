"""``napari-ferry info`` of several paths, and as JSON."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import pixels
from napari_ferry import Image, __version__, imsave
from napari_ferry.cli import main
from napari_ferry.io.search import codecs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two stacks, one of which is damaged."""
    data = np.arange(3 * 16 * 20, dtype=np.uint16).reshape(3, 16, 20)
    imsave(Image.from_array(data, "zyx", name="cells"), tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:100])
    return tmp_path


def test_a_damaged_file_does_not_hide_the_others(folder: Path, capsys: pytest.CaptureFixture):
    assert main(["info", str(folder / "b.tif"), str(folder / "a.tif")]) == 1
    out, err = capsys.readouterr()
    assert "3 x 16 x 20" in out
    assert "b.tif" in err


def test_a_folder_with_a_damaged_file_is_described_file_by_file(
    folder: Path, capsys: pytest.CaptureFixture
):
    assert main(["info", str(folder)]) == 1
    assert "a.tif: " in capsys.readouterr().out


def test_json_has_one_object_for_each_path(folder: Path, capsys: pytest.CaptureFixture):
    missing = folder / "missing.tif"
    assert main(["info", "--json", str(folder / "a.tif"), str(missing)]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert (first["format"], first["error"]) == ("tiff", None)
    assert first["bytes"] == (folder / "a.tif").stat().st_size
    (image,) = first["images"]
    assert (image["name"], image["dtype"], image["levels"]) == ("cells", "uint16", [[3, 16, 20]])
    assert [axis["name"] for axis in image["axes"]] == ["z", "y", "x"]
    assert (second["images"], "missing.tif" in second["error"]) == ([], True)


def read_json(capsys: pytest.CaptureFixture, *paths: Path | str, status: int = 0) -> list[Any]:
    """Return what ``info --json`` prints."""
    assert main(["info", "--json", *map(str, paths)]) == status
    found: list[Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("suffix", [suffix for codec in codecs() for suffix in codec.SUFFIXES])
def test_every_format_names_its_compression(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture
):
    path = imsave(np.zeros((2, 32, 32), np.uint8), tmp_path / f"a{suffix}")[0]
    (info,) = read_json(capsys, path)
    assert info["images"][0]["storage"]["compression"]
    assert main(["info", str(path)]) == 0
    assert "stored as:    compression " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.tif", {}, {"compression": "none", "strips": "64 rows", "byte order": "little"}),
        (
            "a.ome.tif",
            {"compression": "lzw"},
            {"strips": "64 rows", "compression": "lzw, horizontal predictor"},
        ),
        ("a.ome.zarr", {}, {"compression": "blosc (zstd)", "zarr version": "3"}),
        ("a.zarr", {"version": "0.4", "compression": "lz4"}, {"zarr version": "2"}),
        ("a.zarr", {"compression": "none"}, {"compression": "none", "chunks": "1 x 64 x 64"}),
        ("a.ozx", {"shards": True}, {"shards": "3 x 64 x 64", "chunks": "1 x 64 x 64"}),
        ("a.mkv", {}, {"compression": "ffv1", "pixel format": "gray16le"}),
    ],
)
def test_info_tells_how_pixels_are_stored(
    name: str,
    options: dict[str, Any],
    expected: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
):
    (path,) = imsave(pixels((3, 64, 64)), tmp_path / name, **options)
    (info,) = read_json(capsys, path)
    assert expected.items() <= info["images"][0]["storage"].items()


def test_storage_of_files_of_other_programs(tmp_path: Path, capsys: pytest.CaptureFixture):
    tifffile = pytest.importorskip("tifffile")
    path, cut = tmp_path / "big.tif", tmp_path / "cut.tif"
    tiles = {"tile": (16, 32), "bigtiff": True, "byteorder": ">", "compression": "lzw"}
    tifffile.imwrite(path, pixels((64, 64)), **tiles)
    tifffile.imwrite(cut, pixels((8, 8)), compression=None)
    (info, other) = read_json(capsys, path, cut)
    assert info["images"][0]["storage"] == {
        "compression": "lzw",
        "tiles": "16 x 32",
        "byte order": "big",
        "offsets": "64 bits (BigTIFF)",
    }
    assert other["images"][0]["storage"]["compression"] == "none"


def test_info_of_a_series_counts_its_files(tmp_path: Path, capsys: pytest.CaptureFixture):
    parts = imsave(np.zeros((20, 32, 32), np.uint8), tmp_path / "a.tif", size_cap=10e-6)
    (info,) = read_json(capsys, parts[1])
    assert info["files"] == list(map(str, parts))
    assert info["bytes"] == sum(part.stat().st_size for part in parts)
    assert main(["info", str(parts[0])]) == 0
    assert f" in {len(parts)} files" in capsys.readouterr().out


def test_info_of_a_pattern(tmp_path: Path, capsys: pytest.CaptureFixture):
    for name in ("a1.tif", "a2.tif"):
        imsave(np.zeros((8, 8), np.uint8), tmp_path / name)
    (info,) = read_json(capsys, tmp_path / "a*.tif")
    assert (len(info["files"]), info["format"], info["error"]) == (2, "tiff", None)
    assert [axis["size"] for axis in info["images"][0]["axes"]] == [2, 8, 8]


def test_a_folder_of_stores_is_described_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture):
    for name in ("b10.ome.zarr", "b9.ome.zarr"):
        imsave(np.zeros((8, 8), np.uint8), tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    infos = read_json(capsys, tmp_path)
    assert [Path(info["path"]).name for info in infos] == ["b9.ome.zarr", "b10.ome.zarr"]
    (tmp_path / "c.ome.zarr").mkdir()
    *good, bad = read_json(capsys, tmp_path, status=1)
    assert [info["error"] for info in good] == [None, None]
    assert "c.ome.zarr" in bad["error"]


def test_an_error_of_a_folder_is_printed_once(folder: Path, capsys: pytest.CaptureFixture):
    assert main(["info", str(folder)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_metadata_are_printed_in_short(tmp_path: Path, capsys: pytest.CaptureFixture):
    image = Image.from_array(np.zeros((8, 8), np.uint8))
    entries = {"objective": "20x µ", "text": "long " * 50, **{f"k{i}": i for i in range(20)}}
    (path, *_) = imsave(image.replace(metadata=entries), tmp_path / "a.bin")
    assert main(["info", str(path)]) == 0
    out = capsys.readouterr().out
    assert '    metadata:     objective: "20x µ"\n' in out
    assert "more with --json" in out
    assert max(map(len, out.splitlines())) <= 120
    (info,) = read_json(capsys, path)
    assert info["images"][0]["metadata"] == entries


def test_the_version_is_printed(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"napari-ferry {__version__}\n"


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "napari_ferry", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_behind_the_output_is_a_sentence(folder: Path):
    command = [sys.executable, "-m", "napari_ferry", "info", str(folder / "a.tif")]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "the output cannot be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr


def test_warnings_about_a_file_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps({"shape": [9, 8, 8]})
    options = {"description": text, "metadata": None, "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.tif", pixels((5, 8, 8)), **options)
    assert main(["info", str(tmp_path / "a.tif")]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("napari-ferry: warning: The description of page 0 of a.tif")
    assert "9 x 8 x 8 pixels, but the file has 5 pages" in shown.err
    assert "image 0: a" in shown.out
