"""What napari calls, and what its viewer shows."""
