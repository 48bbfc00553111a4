"""Names of the targets of a batch."""

from pathlib import Path

import pytest

from napari_ferry.batch.output_names import NamedSource, Naming, find_collisions, split_source
from napari_ferry.errors import FerryError, TargetError

OUT = Path("out")
SOURCE = NamedSource(Path("/data/day 1/réc 2.ome.tif"), Path("a/b"))


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({}, "a/b/réc 2.ome.tif"),
        ({"suffix": ".mp4"}, "a/b/réc 2.mp4"),
        ({"suffix": ".mp4", "pattern": "{parent}_{name}"}, "a/b/day 1_réc 2.mp4"),
        ({"suffix": ".mp4", "pattern": "{parent}/{name}_small{suffix}"}, "day 1/réc 2_small.mp4"),
        ({"pattern": "{index}.gif"}, "a/b/1.gif"),
        ({"pattern": "{name}_v1.2"}, "a/b/réc 2_v1.2.ome.tif"),
    ],
)
def test_a_pattern_names_targets(options: dict[str, str], target: str) -> None:
    assert Naming(folder=OUT, **options).name_targets([SOURCE]) == [OUT / target]


def test_numbers_have_one_width() -> None:
    sources = [NamedSource(Path(f"{k}.tif")) for k in range(10)]
    targets = Naming(folder=OUT, pattern="{index}").name_targets(sources)
    assert [target.name for target in targets][::9] == ["01.tif", "10.tif"]


def test_a_series_is_named_without_the_number_of_a_part() -> None:
    files = tuple(Path(f"rec_{k:05d}.tif") for k in range(2))
    (target,) = Naming(folder=OUT, suffix=".mp4").name_targets([NamedSource(files[0], files=files)])
    assert target == OUT / "rec.mp4"


def test_an_address_and_a_folder_have_names() -> None:
    sources = [NamedSource("https://example.org/day/a.ome.zarr/"), NamedSource(Path("frames"))]
    naming = Naming(folder=OUT, pattern="{parent}_{name}")
    assert [path.name for path in naming.name_targets(sources)] == [
        "day_a.ome.zarr",
        f"{Path.cwd().name}_frames.ome.zarr",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "{nam}"}, r"has the field \{nam\}: use \{name\}, \{parent\}"),
        ({"pattern": "../{name}"}, "within the folder of the targets"),
        ({"pattern": "/{name}"}, "within the folder of the targets"),
        ({"pattern": "{name}/"}, "within the folder of the targets"),
        ({"pattern": "{name}.gif", "suffix": ".mp4"}, r"ends in \.gif, but the format is \.mp4"),
    ],
)
def test_a_wrong_pattern_is_a_sentence(options: dict[str, str], message: str) -> None:
    with pytest.raises(FerryError, match=message):
        Naming(folder=OUT, **options)


def test_a_format_that_is_not_saved_needs_a_suffix() -> None:
    with pytest.raises(FerryError, match=r"a\.lsm has a format that is opened but not saved"):
        Naming(folder=OUT).name_targets([NamedSource(Path("a.lsm"))])


def test_two_inputs_with_one_target_are_found() -> None:
    assert [*find_collisions([OUT / "a", OUT / "b", OUT / "x/../a", OUT / "a"])] == [(0, 2), (0, 3)]
    assert not [*find_collisions([OUT / "a", OUT / "b"])]


def test_the_name_of_a_folder_is_that_of_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cells.zarr").mkdir()
    monkeypatch.chdir(tmp_path / "cells.zarr")
    assert split_source(".") == ("cells", ".zarr")
    with pytest.raises(TargetError, match="has no name to use in a folder: give a file name"):
        split_source(Path(tmp_path.anchor))
