"""Form for moves of the camera."""

from napari_ferry.widgets.camera.camera_form import CameraForm

__all__ = ["CameraForm"]
