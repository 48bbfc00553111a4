"""Dock *Convert folder*: every data set of a folder in another format."""
