"""Dialogs in napari's window to save and open files, and the progress of a save."""
