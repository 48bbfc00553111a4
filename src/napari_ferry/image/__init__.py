"""Images: arrays, and what their axes mean."""
