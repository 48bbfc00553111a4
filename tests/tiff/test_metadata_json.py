"""JSON file with all metadata of an image file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import make_full_image, make_image
from napari_ferry import TargetExistsError, imload, imsave

# The file beside


def test_a_metadata_file_holds_all_metadata(tmp_path: Path) -> None:
    image = make_full_image("tczyx")
    made = imsave(image, tmp_path / "cells.ome.tif", metadata_json=True)

    assert [path.name for path in made] == ["cells.ome.tif", "cells.json"]
    said = json.loads(made[1].read_text("utf-8"))
    assert said["axes"] == "TCZYX"
    assert (said["PhysicalSizeX"], said["PhysicalSizeXUnit"]) == (0.65, "µm")
    assert (said["TimeIncrement"], said["TimeIncrementUnit"]) == (0.5, "s")
    assert said["Channel"]["Name"] == ["GFP", "µ, 赤"]
    assert said["record"]["metadata"]["laser"] == [488, 561]
    imsave(image, tmp_path / "cells.ome.tif", metadata_json=True, overwrite=True)
    for foreign in ('{"images": ["a"]}', "[1]", '{"images": 3}'):
        (tmp_path / "m.json").write_text(foreign)
        with pytest.raises(TargetExistsError, match="not part of the data set"):
            imsave(image, tmp_path / "m.tif", metadata_json=True, overwrite=True)
    both = imsave([image, make_image("tyx")], tmp_path / "b.tif", metadata_json=True)
    assert len(json.loads(both[1].read_text("utf-8"))["images"]) == 2


def test_a_foreign_metadata_file_is_kept(tmp_path: Path) -> None:
    imsave(make_image("tyx"), tmp_path / "cells.bin")
    before = (tmp_path / "cells.json").read_bytes()
    with pytest.raises(TargetExistsError, match="not part of the data set"):
        imsave(make_image("tyx"), tmp_path / "cells.tif", metadata_json=True, overwrite=True)
    assert (tmp_path / "cells.json").read_bytes() == before
    assert not (tmp_path / "cells.tif").exists()


def test_notes_in_a_metadata_file_are_read(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "earlier-systems" / "ams_bp" / "ts2"
    (found,) = imload(source / "Cell_Movie_001.ome.tiff")
    assert found.metadata["notes"] == "Not implimented"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    other = (tmp_path / "metadata.json").read_text().replace("6.5e-08", "1.1e-07")
    (tmp_path / "metadata.json").write_text(other)
    (found,) = imload(tmp_path / "Cell_Movie_001.ome.tiff")
    assert "notes" not in found.metadata, "the notes of another movie"
