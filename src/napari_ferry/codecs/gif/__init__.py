"""GIF files: block structure, frame composition, palettes and frame encoding."""
