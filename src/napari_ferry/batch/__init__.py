"""Conversion of many files: inputs, names of targets, jobs, and their report.

Nothing here prints or asks: the command line and the widgets do.
"""
