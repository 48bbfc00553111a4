"""Dock widgets, and all other code of magicgui and Qt."""
