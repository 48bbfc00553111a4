"""Saves with a fault at each file operation; `python -m benchmarks.faults` makes longer runs."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from faults import ALL_KINDS, EVERY_KIND, movie, names, run_fork, version_of
from napari_ferry import FerryWarning
from napari_ferry.io.search import codecs, find_codec
from operations import Operations, fail
from save_faults import fail_at_each, full_disks

pytest.importorskip("fcntl", reason="faults are made the POSIX way")

pytestmark = pytest.mark.leaves_partial

each_kind = pytest.mark.parametrize("name", ALL_KINDS)

STEPS = {"series": 5, "zlib series": 7, "png": 7}
"""Distance of the operations that fail, for saves with very many of them."""

FAULTS = [
    *((name, "EIO") for name in ALL_KINDS),
    *(
        ("bin", "ENOSPC"),
        ("mp4", "EACCES"),
        ("bin", "interrupt"),
        ("series", "interrupt"),
        ("store", "interrupt"),
    ),
]


def test_every_format_is_saved_with_faults():
    found = {find_codec(Path(kind.asked)) for kind in EVERY_KIND.values()}
    assert found == {codec for codec in codecs() if codec.SUFFIXES}


_KILL = """
import json, sys
from pathlib import Path
from save_faults import kill_at_each
tally = kill_at_each(sys.argv[1], Path(sys.argv[2]), step=int(sys.argv[3]))
print(json.dumps([tally.found, tally.wrong]))
"""


@pytest.mark.sample(3)
@each_kind
def test_a_save_killed_at_any_operation_leaves_the_old_or_the_new(name: str, tmp_path: Path):
    status, out, errors = run_fork(_KILL, name, tmp_path, 1 + STEPS.get(name, 1))
    assert status == 0, errors
    found, wrong = json.loads(out)
    assert not wrong
    assert {"old", "new"} <= set(found) <= {"old", "new", "said"}


_SET_ASIDE = """
from napari_ferry.saving.partial import placement
placement.exchange = lambda *_: False
"""


@pytest.mark.slow
def test_a_folder_that_cannot_be_exchanged_is_set_aside(tmp_path: Path):
    status, out, errors = run_fork(_SET_ASIDE + _KILL, "store", tmp_path, 1)
    assert status == 0, errors
    found, wrong = json.loads(out)
    assert not wrong
    assert {*found} == {"old", "new", "said"}


@pytest.mark.sample(3)
@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_a_save_refused_at_any_operation_says_what_is_there(name: str, fault: str, tmp_path: Path):
    tally = fail_at_each(name, tmp_path, fault, step=STEPS.get(name, 1))
    assert not tally.wrong
    assert {"old", "new"} <= set(tally.found)


@pytest.mark.sample(4)
@each_kind
def test_a_disk_full_after_any_number_of_bytes_leaves_the_old(name: str, tmp_path: Path):
    tally = full_disks(name, tmp_path, 10)
    assert not tally.wrong
    assert set(tally.found) == {"old"}


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_without_locks_is_saved_to(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("fcntl.flock", lambda fd, how: fail(code)("flock"))
    EVERY_KIND["bin"].save(movie(1), tmp_path)
    assert version_of(tmp_path / "movie.bin") == 1
    assert names(tmp_path) == ["movie.bin", "movie.json"]
    assert "this file system cannot lock a file" in caplog.text


def test_a_part_that_cannot_be_read_is_kept_and_named(tmp_path: Path):
    """A part of an earlier, longer series cannot be told from a file of somebody else."""
    EVERY_KIND["series"].save(movie(1), tmp_path)
    refused = Operations(folder=tmp_path / "movie_00002.tif", at=1, fault=fail(errno.EIO))
    with refused.watched(), pytest.warns(FerryWarning, match=r"movie_00002\.tif is kept"):
        EVERY_KIND["series"].save(movie(2), tmp_path, overwrite=True)
    assert version_of(tmp_path / "movie_00000.tif") == 2
    EVERY_KIND["series"].save(movie(2), tmp_path, overwrite=True)
    assert names(tmp_path) == ["movie_00000.tif", "movie_00001.tif"]


class TestOperations:
    """The faults themselves."""

    def test_operations_are_counted_in_their_folder_only(self, tmp_path: Path):
        inside, outside = tmp_path / "inside", tmp_path / "outside"
        inside.mkdir()
        operations = Operations(folder=inside)
        with operations.watched():
            (inside / "a").write_bytes(b"1234")
            outside.mkdir()
            (outside / "a").write_bytes(b"1234")
            (inside / "a").rename(inside / "b")
            (inside / "b").unlink()
        assert operations.calls == ["open", "write", "rename", "unlink"]
        assert operations.written == 4

    def test_half_is_written_before_a_write_fails(self, tmp_path: Path):
        failing = Operations(folder=tmp_path, at=2, fault=fail(errno.EIO))
        with failing.watched(), pytest.raises(OSError, match="Input/output"):
            (tmp_path / "a").write_bytes(b"1234")
        assert (tmp_path / "a").read_bytes() == b"12"

    @pytest.mark.parametrize("mode", ["wb", "ab", "w"])
    def test_what_there_is_room_for_is_written(self, mode: str, tmp_path: Path):
        full = Operations(folder=tmp_path, room=3, fault=fail(errno.ENOSPC))
        data: Any = "1234" if mode == "w" else b"1234"
        with full.watched(), pytest.raises(OSError, match="No space"):  # noqa: SIM117
            with (tmp_path / "a").open(mode) as file:
                file.write(data)
        assert (tmp_path / "a").read_bytes() == b"123"
