"""Movies: an image as a sequence of frames with a frame rate."""
