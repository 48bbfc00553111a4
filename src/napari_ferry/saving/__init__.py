"""Plans of saves, and the function to carry them out."""

from napari_ferry.arrays.progress import Progress
from napari_ferry.saving.partial.interruption import interrupted_save, naming_saves
from napari_ferry.saving.plan import Plan
from napari_ferry.saving.plan_run import run
from napari_ferry.saving.stream import Stream
from napari_ferry.saving.uncompressed import pixel_writes
from napari_ferry.saving.write import PlannedFile, Write

__all__ = [
    "Plan",
    "PlannedFile",
    "Progress",
    "Stream",
    "Write",
    "interrupted_save",
    "naming_saves",
    "pixel_writes",
    "run",
]
