"""The command that writes the sidecar of a raw file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from helpers import pixels
from napari_ferry import imload
from napari_ferry.cli import main, repair
from napari_ferry.codecs.binary import sidecar_plan
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_plan import run_sidecar
from napari_ferry.errors import UnreadableFileError
from napari_ferry.saving.document_repair import Repair, run_repair
from raw_files import more, raw, scene, stored, write
from zarr_files import write_image


def test_a_truncated_file_is_described_on_request(tmp_path, capsys):
    path = raw(tmp_path, 2500)
    known = ["--dtype", "<u2", "--y", "8", "--x", "16", "--frames", "9", "--offset", "0"]
    assert main(["repair", str(path), *known, "--write"]) == 1
    assert "196 bytes remain: describe only the whole frames with --whole-frames" in (
        capsys.readouterr().err
    )
    assert main(["repair", str(path), *known, "--write", "--whole-frames"]) == 0
    assert imload(path)[0].shape == (9, 8, 16)


def test_an_unreadable_file_is_reported(tmp_path, monkeypatch, capsys):
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    path = raw(tmp_path)
    monkeypatch.setattr(Path, "open", refuse)
    assert main(["repair", str(path)]) == 1
    assert "a.raw cannot be read (Permission denied): check its name" in capsys.readouterr().err
    with pytest.raises(UnreadableFileError, match=r"a\.raw cannot be read \(Permission denied\)"):
        imload(path)
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert main(["repair", str(tmp_path)]) == 1
    assert "cannot be read (Permission denied)" in capsys.readouterr().err


def test_repair_accepts_an_empty_file_and_a_sidecar(tmp_path, capsys):
    assert main(["repair", str(raw(tmp_path, 0, "b.raw"))]) == 1
    assert "b.raw is empty" in capsys.readouterr().err
    path = raw(tmp_path, record={"y": 8, "x": 16, "dtype": "uint8"})
    before = sidecar_path(path).read_bytes()
    known = ["--y", "8", "--x", "16", "--dtype", "<u2", "--offset", "0", "--frames", "10"]
    said = ["repair", str(sidecar_path(path)), *known, "--write", "--overwrite"]
    assert main(said) == 0
    assert imload(path)[0].shape == (10, 8, 16)
    assert (tmp_path / "a.json.bak").read_bytes() == before


def test_files_with_one_sidecar_need_one_layout(tmp_path, capsys):
    raw(tmp_path, 2560, "a.raw")
    raw(tmp_path, 2048, "a.bin")
    known = ["--y", "8", "--x", "16", "--dtype", "<u2", "--offset", "0"]
    assert main(["repair", str(tmp_path), *known, "--write"]) == 1
    assert "a.bin and a.raw share the sidecar a.json" in capsys.readouterr().err
    assert not (tmp_path / "a.json").exists()
    raw(tmp_path, 2560, "a.bin")
    assert main(["repair", str(tmp_path), *known, "--write"]) == 0
    assert [len(imload(tmp_path / name)[0].array) for name in ("a.raw", "a.bin")] == [10, 10]


@pytest.mark.parametrize("header", [bytes(352), *more((b"",))], ids=["header", "plain"])
def test_command_writes_a_sidecar_that_opens_the_file(tmp_path, capsys, header):
    pixels = stored(">u2", scene())
    path = write(tmp_path / "cells.raw", pixels, header)
    assert main(["repair", str(path)]) == 0
    assert not (tmp_path / "cells.json").exists()
    assert main(["repair", str(path), "--write"]) == 0
    assert "rows of 132 pixels and frames of 90 rows repeat" in capsys.readouterr().out
    (image,) = imload(path)
    np.testing.assert_array_equal(image.array, pixels)
    assert image.axis_names == ("t", "y", "x")


def test_sidecar_is_replaced_on_request_only_and_backed_up(tmp_path, capsys):
    path = write(tmp_path / "cells.raw", stored("<u2", scene()))
    old = json.dumps({"frames": 1, "y": 2, "x": 3, "dtype": "uint8"})
    (tmp_path / "cells.json").write_text(old)
    assert main(["repair", str(path), "--write"]) == 1
    assert "overwrite" in capsys.readouterr().err
    assert (tmp_path / "cells.json").read_text() == old
    for name in ("cells.json.bak", "cells.json.bak-2"):
        assert main(["repair", str(path), "--write", "--overwrite"]) == 0
        assert (tmp_path / name).is_file()
    assert (tmp_path / "cells.json.bak").read_text() == old
    assert imload(path)[0].shape == (12, 90, 132)


def test_command_accepts_known_fields(tmp_path, capsys):
    path = write(tmp_path / "cells.raw", stored("<u2", scene()))
    known = ["--dtype", "uint16", "--y", "45", "--x", "132", "--offset", "0"]
    assert main(["repair", str(path), *known, "--write"]) == 0
    assert imload(path)[0].shape == (24, 45, 132)
    assert main(["repair", str(path), "--x", "100000000"]) == 1
    assert "No layout" in capsys.readouterr().err


def test_folder_of_one_camera_is_repaired_with_one_layout(tmp_path, capsys):
    sizes = {"a": 6, "b": 11, "c": 1}
    for seed, (name, frames) in enumerate(sizes.items()):
        write(tmp_path / f"{name}.raw", stored("<u2", scene((frames, 90, 132), seed)), bytes(352))
    assert main(["repair", str(tmp_path), "--write"]) == 0
    assert "3 of 3 files" in capsys.readouterr().out
    shapes = {path.stem: imload(path)[0].shape for path in sorted(tmp_path.glob("*.raw"))}
    assert shapes == {name: (frames, 90, 132) for name, frames in sizes.items()}


def test_an_interrupt_tells_how_many_sidecars_were_written(tmp_path, monkeypatch, capsys):
    def run_once(planned, *, overwrite):
        if list(tmp_path.glob("*.json")):
            raise KeyboardInterrupt
        return run_sidecar(planned, overwrite=overwrite)

    for name in ("a.raw", "b.raw", "c.raw"):
        raw(tmp_path, 2560, name)
    monkeypatch.setattr(sidecar_plan, "run_sidecar", run_once)
    known = ["--y", "8", "--x", "16", "--dtype", "<u2", "--offset", "0"]
    assert main(["repair", str(tmp_path), *known, "--write"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "napari-ferry: interrupted; 1 of 3 sidecars were written before."
    )


def damaged_store(folder: Path) -> Path:
    """Write a store with a scale as text."""
    path = write_image(folder / "a.zarr", scene((3, 8, 16)), "zyx", scale=(2, 0.5, 0.25))
    document = path / "zarr.json"
    document.write_text(document.read_text().replace("0.25", '"0.25"'))
    return path


def test_the_metadata_of_a_store_are_mended_on_request(tmp_path, capsys):
    path = damaged_store(tmp_path)
    before = (path / "zarr.json").read_bytes()
    assert main(["repair", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "scale of level 0: '0.25' (text) -> 0.25"
    assert lines[1].endswith("nothing is written yet; write these changes with --write")
    assert (path / "zarr.json").read_bytes() == before

    assert main(["repair", str(path), "--unit", "um", "--write"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [
        f"{path / 'zarr.json'}: written",
        f"{path / 'zarr.json.bak'}: the document as it was before",
        "a: z 2 micrometer, y 0.5 micrometer, x 0.25 micrometer",
    ]
    assert (path / "zarr.json.bak").read_bytes() == before
    assert main(["repair", str(path / "zarr.json"), "--write"]) == 0
    assert capsys.readouterr().out == f"{path / 'zarr.json'}: nothing to repair\n"


def test_options_of_other_formats_are_refused(tmp_path, capsys):
    assert main(["repair", str(damaged_store(tmp_path)), "--x", "5", "--dtype", "u2"]) == 1
    assert "--dtype, --x cannot be used with a.zarr: leave it out" in capsys.readouterr().err
    assert main(["repair", str(raw(tmp_path)), "--ome"]) == 1
    assert "--ome cannot be used with a.raw" in capsys.readouterr().err
    assert main(["repair", str(tmp_path / "b.zarr")]) == 1
    assert "b.zarr" in capsys.readouterr().err


def test_a_store_that_changes_is_not_overwritten(tmp_path, monkeypatch, capsys):
    path = damaged_store(tmp_path)

    def change(planned: Repair) -> list[Path]:
        (path / "zarr.json").write_text("{}")
        return run_repair(planned)

    monkeypatch.setattr(repair, "run_repair", change)
    assert main(["repair", str(path), "--write"]) == 1
    assert "zarr.json in a.zarr has changed since it was checked" in capsys.readouterr().err
    assert (path / "zarr.json").read_text() == "{}"


def test_remarks_about_a_store_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attributes = {"omero": {"channels": 5}}
    path = write_image(tmp_path / "a.zarr", pixels((2, 8, 8)), "zyx", attributes=attributes)
    assert main(["repair", str(path)]) == 0
    assert "the channels in omero are not a list" in capsys.readouterr().err
