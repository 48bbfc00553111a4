"""What the GIF codec is made of: blocks, composition, palettes, and the encoding of frames."""
