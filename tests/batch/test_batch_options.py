"""Options of a batch as its record has them: the same from the command line and from a form."""

from pathlib import Path

import numpy as np
import pytest

from napari_ferry import imload, imsave, plan
from napari_ferry.batch.batch_options import complete_options
from napari_ferry.batch.conversion import run_jobs
from napari_ferry.batch.jobs import find_jobs
from napari_ferry.batch.output_names import Naming
from napari_ferry.cli import main
from napari_ferry.io.search import find_codec


@pytest.mark.parametrize(
    ("suffix", "flags", "chosen"),
    [
        (".ome.zarr", [], {}),
        (".tif", ["--compression", "zlib"], {"compression": "zlib"}),
        (".gif", ["--scale", "2", "--crop", ":4 2:"], {"scale": 2.0, "crop": ":4 2:"}),
        (".mp4", ["--frame-rate", "20"], {"frame_rate": 20.0}),
    ],
)
def test_what_the_command_line_converted_is_up_to_date_in_a_form(
    suffix: str, flags: list[str], chosen: dict[str, object], tmp_path: Path
) -> None:
    imsave(np.zeros((3, 8, 8), np.uint8), tmp_path / "in" / "cells.bin")
    out = tmp_path / "out"
    main(
        ["convert", str(tmp_path / "in"), str(out), "--format", suffix, "--name", "{name}", *flags]
    )
    options = complete_options(find_codec(Path(f"x{suffix}")), chosen)

    def planner(job):
        images = imload(job.input.source)
        return images, plan(images, job.target, **chosen)

    found = find_jobs([tmp_path / "in"], Naming(folder=out, suffix=suffix))
    assert run_jobs(found, planner, options=options).summary == "0 converted, 1 skipped"
