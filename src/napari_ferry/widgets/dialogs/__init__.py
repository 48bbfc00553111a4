"""Dialogs in napari's window that save and open files, and the progress of a save."""
