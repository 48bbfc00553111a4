"""Dock widget *Repair binary metadata*, and its parts."""
