"""FFmpeg's log: it is silent while files are read, and left as it was for other programs."""

from pathlib import Path

import av
import numpy as np

from faults import run_python
from napari_ferry import imsave
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
