"""PNG: pictures, numbered sequences of pictures, and animations."""
