"""``napari-ferry verify``: damaged parts of files are named."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_ferry import imsave
from napari_ferry.cli import main


def movie(n_frames: int = 12) -> np.ndarray:
    """Return frames of noise, axes (frame, y, x), uint8."""
    return np.random.default_rng(0).integers(0, 255, (n_frames, 48, 64), np.uint8)


def flip(path: Path, offset: int) -> None:
    """Change one byte of a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x55
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.bin", "a.gif", "a.mp4", "a.png"])
def test_a_whole_file_has_no_problems(name: str, tmp_path: Path, capsys: pytest.CaptureFixture):
    (path, *_) = imsave(movie(), tmp_path / name)
    assert main(["verify", str(path)]) == 0
    assert "no damage found" in capsys.readouterr().out


def test_samples_without_checksums_are_not_called_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    imsave(movie(), tmp_path / "cells.bin")
    main(["verify", str(tmp_path / "cells.bin")])
    assert "cells: stored without checksums" in capsys.readouterr().out


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_chunks_without_checksums_are_not_called_checked(
    compression: str, tmp_path: Path, capsys: pytest.CaptureFixture
):
    options = {"compression": compression}
    old, new = tmp_path / "old.ome.zarr", tmp_path / "new.ome.zarr"
    imsave(movie(), old, version="0.4", **options)
    imsave(movie(), new, **options)
    assert main(["verify", str(old)]) == main(["verify", str(new)]) == 0
    said = capsys.readouterr().out
    assert "old: stored without checksums" in said
    assert "new: stored" not in said


def test_views_of_chunks_without_checksums_are_not_called_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    colors = np.zeros((8, 9, 3), np.uint8)
    imsave(colors, tmp_path / "colors.ome.zarr", version="0.4")
    assert main(["verify", str(tmp_path / "colors.ome.zarr")]) == 0
    assert "colors: stored without checksums" in capsys.readouterr().out


def test_a_pattern_is_verified(tmp_path: Path, capsys: pytest.CaptureFixture):
    for name in ("cells 0.tif", "cells 1.tif"):
        imsave(movie()[0], tmp_path / name)
    assert main(["verify", str(tmp_path / "cells*")]) == 0
    assert "no damage found" in capsys.readouterr().out


def test_each_data_set_in_a_folder_is_verified(tmp_path: Path, capsys: pytest.CaptureFixture):
    imsave(movie(), tmp_path / "cells.tif")
    imsave(movie(), tmp_path / "other.ome.zarr")
    (tmp_path / "damaged.tif").write_bytes(b"not a TIFF file")
    (tmp_path / "notes.txt").write_text("of the day")
    assert main(["verify", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "damaged.tif is not a TIFF file" in said.err
    assert [line.partition(":")[0] for line in said.out.splitlines() if "pixels read" in line] == [
        str(tmp_path / "cells.tif"),
        str(tmp_path / "other.ome.zarr"),
    ]
    (tmp_path / "damaged.tif").unlink()
    assert main(["verify", str(tmp_path)]) == 0


def test_every_damaged_page_of_a_tiff_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, movie(), compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as file:
        offsets = [page.dataoffsets[0] + page.databytecounts[0] // 2 for page in file.pages]
    for page in (3, 7):
        flip(path, offsets[page])
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert "Page 3 of cells.tif is damaged" in out
    assert "Page 7 of cells.tif is damaged" in out
    assert "2 problems" in out


def test_every_damaged_chunk_of_a_store_is_named(tmp_path: Path, capsys: pytest.CaptureFixture):
    store = tmp_path / "cells.zarr"
    store.mkdir()
    (store / ".zarray").write_text(
        '{"zarr_format": 2, "shape": [4, 8, 8], "chunks": [1, 8, 8], "dtype": "|u1", "order": "C", '
        '"compressor": {"id": "zlib", "level": 1}, "fill_value": 0, "filters": null}'
    )
    for i in range(4):
        (store / f"{i}.0.0").write_bytes(zlib.compress(bytes(range(64))))
    flip(store / "2.0.0", 20)
    assert main(["verify", str(store)]) == 1
    out = capsys.readouterr().out
    assert "2.0.0 cannot be read" in out
    assert "1 problem\n" in out


def test_warnings_at_opening_are_problems(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, movie(), compression="zlib", metadata=None)
    path.write_bytes(path.read_bytes()[:-4000])
    assert main(["verify", str(path)]) == 1
    out, err = capsys.readouterr()
    assert "cut off" in out
    assert err == ""
