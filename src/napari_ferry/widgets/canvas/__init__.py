"""Movies drawn by the viewer's canvas, for points, shapes, tracks, 3-D views and camera moves.

Frames are screenshots of the viewer. They are taken one at a time in the GUI thread, so that the
window stays responsive between them; a thread that reads a frame waits for its screenshot.
"""

from napari_ferry.widgets.canvas.canvas_picture import canvas_image
from napari_ferry.widgets.canvas.thread_save import run_in_thread

__all__ = ["canvas_image", "run_in_thread"]
