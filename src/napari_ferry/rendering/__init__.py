"""Draw images as napari displays them, from their samples and without a screen."""
