"""Images to napari's layers and back."""
