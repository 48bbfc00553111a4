"""Dock widgets *Export layers* and *Export movie*, and their parts."""
