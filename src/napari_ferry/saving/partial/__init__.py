"""The folder of an unfinished save: its journal, recovery, and moves to the targets."""
