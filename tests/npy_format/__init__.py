"""A format that napari-ferry does not have; see tests/test_new_format.py."""
