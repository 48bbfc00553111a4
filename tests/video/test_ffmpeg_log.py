"""FFmpeg's log: it is silent while files are read, and left as it was for other programs."""

from pathlib import Path

import av
import numpy as np
import pytest

from faults import run_python
from napari_ferry import imload, imsave
from napari_ferry.codecs.video.ffmpeg_log import silent_ffmpeg

READ_DAMAGED = """
import faulthandler, random, sys
from pathlib import Path
import av, numpy as np
from napari_ferry import FerryError, imload
faulthandler.dump_traceback_later(60, exit=True)  # a thread that hangs may hold the GIL
av.logging.set_level(av.logging.ERROR)
path = Path(sys.argv[1])
whole, random = path.read_bytes(), random.Random(1)
start = whole.find(b"mdat") + 4
for _ in range(15):
    damaged = bytearray(whole)
    for _ in range(6):
        damaged[random.randrange(start, len(damaged))] ^= 1 << random.randrange(8)
    path.write_bytes(damaged)
    try:
        np.asarray(imload(path)[0].array[0])
    except FerryError:
        pass
print("done")
"""


def test_the_level_of_others_is_restored() -> None:
    before = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with silent_ffmpeg():
            with silent_ffmpeg():
                assert av.logging.get_level() is None
            assert av.logging.get_level() is None
        assert av.logging.get_level() == av.logging.ERROR
    finally:
        av.logging.set_level(before)


def test_damaged_videos_do_not_hang_where_logging_is_on(tmp_path: Path) -> None:
    noise = (np.random.default_rng(0).random((6, 24, 20)) * 255).astype(np.uint8)
    imsave(noise, tmp_path / "a.mp4")
    status, out, errors = run_python(READ_DAMAGED, tmp_path / "a.mp4")
    assert (status, out) == (0, "done\n"), errors


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v"])
@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile inner.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\ninner.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    ],
    ids=["ffconcat", "HLS", "SDP"],
)
def test_lists_of_other_files_are_not_videos(text: str, suffix: str, tmp_path: Path) -> None:
    imsave(np.zeros((3, 32, 32), np.uint8), tmp_path / "inner.mp4")
    (tmp_path / f"list{suffix}").write_text(text)
    with pytest.raises(OSError, match="cannot be opened as a video"):
        imload(tmp_path / f"list{suffix}")
