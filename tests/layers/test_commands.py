"""Readers and writers of the plugin, as napari calls them."""

import errno
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Points
from npe2 import PluginManifest

from layer_files import make_channels, open_layers, pixels, round_trip, save
from napari_ferry import Image, SaveError, TargetExistsError, UnreadableFileError, imload, imsave
from napari_ferry.io import open_stack
from napari_ferry.layers.layer_data import from_layers
from napari_ferry.plugin import commands
from napari_ferry.plugin.commands import get_binary_reader, get_folder_reader, get_tiff_reader

READERS = (get_tiff_reader, get_binary_reader, get_folder_reader)


def test_other_layers_are_refused_by_name():
    with pytest.raises(ValueError, match="spots is a points layer"):
        from_layers([Points([[1, 2]], name="spots").as_layer_data_tuple()])


@pytest.mark.parametrize(
    ("name", "count"), [("cells.ome.tif", 1), ("cells.ome.tiff", 2), ("cells.tif", 2)]
)
def test_napari_chooses_our_writer(name: str, count: int, tmp_path: Path):
    (path,) = save(tmp_path / name, *make_channels()[:count], plugin=None)
    assert len(open_layers(path)) == count
    assert imload(path)[0].channels or count == 1
    assert open_layers(path)[0].name == "GFP"


def test_upper_case_is_the_same_format(tmp_path: Path):
    (after,) = round_trip(tmp_path / "CELLS.TIF", ImageLayer(pixels(4, 16, 20), name="cells"))
    assert after.name == "cells"


class TestSaveDialog:
    """Replacement of files: napari's dialog confirms only the exact name entered."""

    writers = pytest.mark.parametrize(
        ("command", "suffix", "count"),
        [("write_tiff", ".tif", 1), ("write_ome_tiff", ".ome.tif", 1), ("write_binary", ".bin", 2)],
    )

    def write(self, command: str, path: Path, value: int = 1) -> list[str]:
        from napari_ferry.plugin import commands

        layer = ImageLayer(np.full((4, 8, 8), value, np.uint8), name="cells")
        return getattr(commands, command)(str(path), [layer.as_layer_data_tuple()])

    def test_a_folder_is_never_replaced(self, tmp_path: Path):
        (tmp_path / "a.tif").mkdir()
        with pytest.raises(SaveError, match=r"a\.tif exists already, and File > Save does not ask"):
            self.write("write_tiff", tmp_path / "a.tif")

    @writers
    def test_a_missing_suffix_is_added(self, command, suffix, count, tmp_path: Path):
        paths = self.write(command, tmp_path / "cells 1.5")
        assert paths[0] == str(tmp_path / f"cells 1.5{suffix}")
        assert len(paths) == len(list(tmp_path.iterdir())) == count

    @writers
    def test_then_nothing_is_replaced(self, command, suffix, count, tmp_path: Path):
        self.write(command, tmp_path / "cells", 1)
        with pytest.raises(TargetExistsError, match=rf"cells\{suffix}"):
            self.write(command, tmp_path / "cells", 2)
        assert imload(tmp_path / f"cells{suffix}")[0].load()[0, 0, 0] == 1

    @writers
    def test_a_typed_name_is_replaced(self, command, suffix, count, tmp_path: Path):
        for value in (1, 2):
            self.write(command, tmp_path / f"cells{suffix}", value)
        assert imload(tmp_path / f"cells{suffix}")[0].load()[0, 0, 0] == 2

    @writers
    @pytest.mark.parametrize("name", ["cells.jpg", "cells.czi"])
    def test_another_suffix_is_refused(self, command, suffix, count, name, tmp_path: Path):
        with pytest.raises(SaveError, match=rf"but \{suffix} was chosen"):
            self.write(command, tmp_path / name)
        assert list(tmp_path.iterdir()) == []

    @writers
    @pytest.mark.parametrize("name", ["cells.v2", "day.3", "a.b c"])
    def test_a_dot_in_a_name_is_not_a_suffix(self, command, suffix, count, name, tmp_path: Path):
        self.write(command, tmp_path / name)
        assert (tmp_path / f"{name}{suffix}").exists()

    def test_an_unconfirmed_sidecar_is_not_replaced(self, tmp_path: Path):
        (tmp_path / "cells.json").write_text('{"dtype": "uint8", "frames": 1}')
        with pytest.raises(TargetExistsError, match=r"cells\.json"):
            self.write("write_binary", tmp_path / "cells.bin")
        assert [path.name for path in tmp_path.iterdir()] == ["cells.json"]

    @pytest.mark.parametrize(
        ("command", "name"),
        [
            ("write_ome_tiff", "cells.tif"),
            ("write_tiff", "CELLS.MP4"),
            ("write_tiff", "cells.gif"),
            ("write_video", "cells.bin"),
            ("write_gif", "cells.mkv"),
        ],
    )
    def test_a_typed_suffix_decides_before_the_chosen_format(
        self, command: str, name: str, tmp_path: Path
    ):
        paths = self.write(command, tmp_path / name)
        assert paths[0] == str(tmp_path / name)
        (found,) = imload(tmp_path / name)
        assert found.size("y") == 8
        expected = {".tif": b"II", ".bin": b"\1\1", ".gif": b"GIF", ".mkv": b"\x1aE"}
        start = (tmp_path / name).read_bytes()[:8]
        assert start.startswith(expected.get(Path(name).suffix, b"\0")) or b"ftyp" in start


@pytest.fixture
def strange(tmp_path: Path) -> list[Any]:
    """Paths of other formats."""
    (tmp_path / "large.json").write_text(json.dumps(list(range(1_500_000))))
    (tmp_path / "broken.json").write_text('{"dtype": ')
    (tmp_path / "settings.json").write_text('{"dtype": 3, "frames": 1}')
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").touch()
    (tmp_path / "folder.tif").mkdir()
    (tmp_path / "store.n5").mkdir()
    (tmp_path / "store.n5" / "attributes.json").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    paths = [str(path) for path in tmp_path.iterdir()]
    return [
        *paths,
        paths,
        [],
        "",
        "None",
        "\0.tif.png",
        "x" * 5000,
        str(tmp_path / "missing"),
        str(tmp_path / "missing.json"),
        str(tmp_path / "missing" / "deeper.json"),
        "https://example.org/cells.png",
        [str(tmp_path / "missing.tif"), str(tmp_path / "missing.png")],
    ]


@pytest.mark.parametrize("get_reader", READERS, ids=lambda reader: reader.__name__)
def test_readers_decline_other_files(get_reader, strange: list[Any]):
    assert {get_reader(path) for path in strange} == {None}


@pytest.mark.parametrize(
    ("get_reader", "name"),
    [(get_tiff_reader, "x.tif"), (get_tiff_reader, "X.OME.TIFF"), (get_binary_reader, "x.RAW")],
)
def test_readers_accept_their_suffixes(get_reader, name: str, tmp_path: Path):
    assert get_reader(str(tmp_path / name)) is not None
    assert get_reader([str(tmp_path / name)]) is not None


def test_a_missing_file_is_reported_while_reading(tmp_path: Path):
    reader = get_tiff_reader(str(tmp_path / "missing.tif"))
    assert reader is not None
    with pytest.raises(OSError, match=r"missing\.tif is not there"):
        reader(str(tmp_path / "missing.tif"))


def test_several_files_are_one_stack(tmp_path: Path):
    data = pixels(3, 16, 20)
    for i, frame in enumerate(data):
        imsave(frame, tmp_path / f"frame{i}.tif")
    (layer,) = open_layers(*(tmp_path / f"frame{i}.tif" for i in (2, 0, 1)), stack=True)
    assert np.array_equal(layer.data, data[[2, 0, 1]])


def test_a_folder_of_raw_files_opens(tmp_path: Path):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20), name="recording"))
    (layer,) = open_layers(tmp_path)
    assert layer.name == "recording"


def test_a_file_of_a_stack_that_cannot_be_read_is_named_in_one_sentence(tmp_path: Path):
    imsave(np.zeros((4, 16, 16), "u1"), tmp_path / "a.tif")
    paths = [str(tmp_path / name) for name in ("a.tif", "b.tif")]
    read = commands.get_tiff_reader(paths)
    with pytest.raises(UnreadableFileError, match=r"b\.tif is not there: check its name"):
        read(paths)

    def refuse(paths: Sequence[Path]) -> list[Image]:
        raise PermissionError(errno.EACCES, "Permission denied", str(paths[1]))

    (tmp_path / "b.tif").touch()
    with pytest.raises(UnreadableFileError, match=r"b\.tif cannot be read \(Permission denied\): "):
        open_stack(refuse, list(map(Path, paths)))


@pytest.mark.parametrize("key", ["calcium_movie", "moving_cells", "z_stacks"])
def test_samples_of_the_manifest_become_calibrated_layers(key):

    samples = PluginManifest.from_distribution("napari-ferry").contributions.sample_data or []
    assert key in [sample.key for sample in samples]
    layers = getattr(commands, f"sample_{key}")()
    assert len(layers) == 2
    for data, meta, kind in layers:
        assert kind in ("image", "labels")
        assert np.asarray(data).any()
        assert len(meta["units"]) == data.ndim
