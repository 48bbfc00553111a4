"""Images as napari shows them, drawn from their samples without a screen."""
