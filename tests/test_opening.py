"""Opening by any door: names in errors and warnings, addresses, members of archives."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own errors
import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_ferry import (
    FerryError,
    FerryWarning,
    Image,
    UnreadableFileError,
    imload,
    imsave,
    load_images,
)
from napari_ferry.cli import main
from napari_ferry.errors import InvalidImageError, UnsupportedFormatError, opening, warn

ADDRESSES = ("https://example.org/a.tif", "s3://bucket/a.mp4", "file:///nowhere/a.gif")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("kind", [str, Path])
def test_an_address_is_called_that(
    address: str, kind: type, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FerryError, match="is an address"):
        imload(kind(address))
    with pytest.raises(FerryError, match="is an address"):
        imsave([[0]], kind(address))
    assert main(["info", address]) == 1
    assert address in capsys.readouterr().err


def test_a_member_of_an_archive_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(UnreadableFileError, match=r"a\.zip is a file.*extract"):
        imload(tmp_path / "a.zip" / "folder" / "b.tif")


@pytest.mark.parametrize(
    "name",
    [
        *("a.tif", "a.ome.tif", "a.bin", "a.raw", "a.dat", "a.mhd", "a.mha", "a.nrrd", "a.nhdr"),
        *("a.png", "a.apng", "a.gif", "a.mp4", "a.avi", "a.mkv", "a.mpg", "a.h264", "a.ozx"),
    ],
)
def test_an_empty_file_is_called_empty(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FerryError, match=rf"{name}.* empty"):
        imload(tmp_path / name)


def test_a_folder_may_look_like_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        Path("ab:").mkdir()
    except OSError:
        pytest.skip("no such names on this system")
    Path("ab:/c.tif").write_bytes(b"")
    with pytest.raises(UnreadableFileError, match="it is empty"):
        imload("ab:/c.tif")


def test_errors_and_warnings_name_the_file() -> None:
    with pytest.raises(InvalidImageError, match=r"^a\.tif: no name$"), opening("a.tif"):
        raise InvalidImageError("no name")
    with pytest.raises(InvalidImageError, match=r"^folder/a\.tif is bad$"), opening("a.tif"):
        raise InvalidImageError("folder/a.tif is bad")

    with warnings.catch_warnings(record=True) as caught, opening("a.tif"):
        warnings.simplefilter("always")
        warn("no name")
        warn("a.tif is bad")
    warnings_texts = [str(warning.message) for warning in caught]
    assert warnings_texts == ["a.tif: no name", "a.tif is bad"]
    assert str(FerryWarning("no name")) == "no name"


def test_warnings_name_the_line_of_the_user(tmp_path: Path) -> None:
    tif, several = tmp_path / "a.tif", tmp_path / "several.ome.tif"
    image = Image.from_array(np.zeros((4, 8, 9), np.uint8), "tyx").replace(scale={"t": 0.5})
    imsave(image, tif)
    imsave([image, image], several)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        imload(tif, partition={"t": [0, 1, 3]})
        load_images(several)
        tif.write_bytes(tif.read_bytes()[:-150])
        imload(tif)
    assert {warning.filename for warning in caught} == {__file__}
    assert len({warning.lineno for warning in caught}) == 3


def test_a_message_begins_with_the_name_of_the_file(tmp_path: Path) -> None:
    """The notices of napari show little more than its beginning."""
    folder = tmp_path / ("a long name of a folder " * 3).strip()
    folder.mkdir()
    contents = {
        "a.tif": b"II*\0",
        "a.gif": b"GIF89a",
        "a.mp4": b"text",
        "a.json": b"text",
        "a": b"",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for path in (*(folder / name for name in contents), folder / "missing.tif"):
        with pytest.raises(FerryError) as refused:
            imload(path)
        assert str(refused.value).startswith(path.name)
        assert isinstance(refused.value, UnsupportedFormatError) or (
            refused.value.filename == str(path)  # type: ignore[attr-defined]
        )


def test_the_path_is_in_tracebacks_and_survives_pickling(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0")
    with pytest.raises(UnreadableFileError) as refused:
        imload(tmp_path / "a.tif")
    assert refused.value.__notes__ == [f"The path is {tmp_path / 'a.tif'}."]
    copy = pickle.loads(pickle.dumps(refused.value))
    assert str(copy) == str(refused.value)
    assert str(tmp_path) not in str(copy)
