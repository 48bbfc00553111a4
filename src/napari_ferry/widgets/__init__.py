"""What is shown in a window: the only rooms that know magicgui and Qt."""
