"""Chromium, as a judge of our videos: every gray level and every frame."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_ferry import save_video
from video_files import BITS, numbered_frame, ramp_movie

PAGE = """<body><script>
(async () => {
  const result = {frames: []}, v = document.createElement("video");
  const tell = () => fetch("/result", {method: "POST", body: JSON.stringify(result)});
  try {
    v.muted = true;
    document.body.append(v);
    await new Promise((ok, no) => {
      v.onloadeddata = ok;
      v.onerror = () => no(v.error);
      v.src = "/video";
    });
    [result.size, result.duration] = [[v.videoWidth, v.videoHeight], v.duration];
    const c = document.createElement("canvas");
    [c.width, c.height] = result.size;
    const x = c.getContext("2d", {willReadFrequently: true});
    for (let k = 0; k < COUNT; k++) {
      // a busy browser reports the end of a seek before it shows the frame
      await new Promise(ok => {
        v.requestVideoFrameCallback(ok);
        v.onseeked = () => setTimeout(ok, 1000);
        v.currentTime = (k + 0.5) / RATE;
      });
      x.drawImage(v, 0, 0);
      const d = x.getImageData(0, 0, c.width, c.height).data, levels = [];
      for (let i = 8; i < c.height; i += 16)
        for (let j = 8; j < c.width; j += 16) levels.push(d[4 * (i * c.width + j) + 1]);
      result.frames.push(levels);
    }
    v.currentTime = 0;
    await new Promise(ok => { v.onended = ok; v.play(); });
    result.played = true;
  } catch (error) { result.error = error.message; }
  tell();
})();
</script></body>"""


class _Visit(http.server.BaseHTTPRequestHandler):
    """Server for Chromium of a page with a video; it receives the result of the page."""

    page, video, result = b"", b"", queue.Queue()

    def do_GET(self) -> None:
        body = self.video if self.path == "/video" else self.page
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = int(asked[1]) if asked else 0, len(body) - 1
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "video/mp4" if self.path == "/video" else "text/html")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body[first:])

    def do_POST(self) -> None:
        self.result.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def play(path: Path, rate: float, count: int) -> dict[str, Any]:
    """Play a video in Chromium; return the green level in the center of each 16 x 16 block."""
    page = PAGE.replace("COUNT", str(count)).replace("RATE", str(rate)).encode()
    result: queue.Queue[dict[str, Any]] = queue.Queue()
    visit = type("Visit", (_Visit,), {"page": page, "video": path.read_bytes(), "result": result})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), visit)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={path.parent / 'profile'}"]
    command += [f"http://127.0.0.1:{server.server_port}/"]
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    browser = subprocess.Popen(command, start_new_session=True, **nowhere)
    try:
        return result.get(timeout=60)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
        server.shutdown()
        server.server_close()


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@needs_chromium
@pytest.mark.parametrize("rgb", [False, True])
def test_a_browser_shows_all_levels(rgb: bool, tmp_path: Path) -> None:
    (path,) = save_video(tmp_path / "a.mp4", ramp_movie(rgb), 10, quality="good")
    result = play(path, 10, 3)
    assert result.get("played"), result.get("error")
    assert result["size"] == [256, 256]
    assert result["duration"] == pytest.approx(0.3, abs=0.001)
    assert np.abs(np.array(result["frames"]) - np.arange(256)).max() <= 1


@pytest.mark.slow
@needs_chromium
def test_a_browser_shows_every_frame(tmp_path: Path) -> None:
    movie = np.stack([numbered_frame(i) for i in range(60)])
    (path,) = save_video(tmp_path / "a.mp4", movie, 29.97)

    def play_again() -> list[int]:
        frames = play(path, 30000 / 1001, 60)["frames"]
        return [sum((level > 125) << k for k, level in enumerate(f[:BITS])) for f in frames]

    # a busy browser may report a seek before it draws, but not three times at the same frame
    shown = np.array([play_again() for _ in range(3)])
    assert (shown == np.arange(60)).any(0).all()
    assert (shown <= np.arange(60)).all()
