"""Damaged files of every format are opened, or refused in one sentence; never anything else.

`python -m benchmarks.faults --part mutants` opens thousands of them.
"""

import json
import random

import pytest

from faults import run_fork
from mutant_seeds import FORMATS, Seed, make_seeds
from mutants import mutate
from napari_ferry.io.protocol import format_name
from napari_ferry.io.search import codecs

pytest.importorskip("fcntl", reason="the files are opened in forks")

COUNTS = {"binary": 200, "gif": 200, "png": 200, "tiff": 300, "video": 100, "zarr": 300}


def test_every_format_has_mutants():
    assert set(FORMATS) == {format_name(codec) for codec in codecs()} == set(COUNTS)


_RUN = """
import json, sys
from mutant_runs import BAD, Run, run_mutants
from mutant_seeds import make_seeds
form, count = sys.argv[1], int(sys.argv[2])
run = Run(form=form, seeds=make_seeds(form, 8), seed=0, numbers=range(count))
outcomes = list(run_mutants(run))
print(json.dumps([[vars(one) for one in outcomes if one.what in BAD], len(outcomes)]))
"""


@pytest.mark.sample(1)
@pytest.mark.parametrize("form", FORMATS)
def test_mutants_are_opened_or_refused(form: str):
    status, out, errors = run_fork(_RUN, form, COUNTS[form])
    assert status == 0, errors
    bad, count = json.loads(out)
    assert bad == []
    assert count == COUNTS[form]


_RUN_METADATA = """
import json, sys
from mutant_runs import BAD, Run, run_mutants
from mutant_seeds import make_seeds
from mutants import has_changed_metadata
seeds, count = make_seeds("zarr", 40), int(sys.argv[1])
numbers = [n for n in range(10 * count) if has_changed_metadata(seeds, "zarr", 7, n)][:count]
run = Run(form="zarr", seeds=seeds, seed=7, numbers=numbers)
outcomes = list(run_mutants(run))
print(json.dumps([[vars(one) for one in outcomes if one.what in BAD], len(outcomes)]))
"""


@pytest.mark.thorough
@pytest.mark.timeout(3600)
def test_mutants_of_the_metadata_of_zarr_are_opened_or_refused():
    status, out, errors = run_fork(_RUN_METADATA, 3000)
    assert status == 0, errors
    assert json.loads(out) == [[], 3000]


_CRASH = """
import json, os, sys, time
import mutant_runs
from mutant_runs import Run, run_mutants
from mutant_seeds import Seed
def read_some(path):
    number = int(path.read_bytes())
    if number == 2:
        os.abort()
    if number == 3:
        time.sleep(10)
    if number == 4:
        raise KeyError("raw")
    if number == 5:
        return "empty"
    return "ok"
mutant_runs.SECONDS = 0.2
mutant_runs.read_some = read_some
mutant_runs.mutate = lambda seeds, form, seed, number: Seed({"a": b"%d" % number}, "a")
outcomes = run_mutants(Run(form="", seeds=(), seed=0, numbers=range(8)), workers=2)
print(json.dumps({one.number: one.what for one in outcomes}))
"""


@pytest.mark.slow
def test_failures_are_those_of_the_file_that_was_open():
    status, out, errors = run_fork(_CRASH)
    assert status == 0, errors
    found = {int(number): what for number, what in json.loads(out).items()}
    bad = {2: "crash", 3: "hang", 4: "raw exception", 5: "empty"}
    assert found == dict.fromkeys(range(8), "ok") | bad


@pytest.mark.parametrize("form", FORMATS)
def test_a_mutant_is_made_again_by_its_number(form: str):
    seeds = make_seeds(form, 2)
    numbers = random.Random(0).sample(range(1000), 20)
    first = {n: mutate(seeds, form, 1, n) for n in numbers}
    assert {n: mutate(seeds, form, 1, n) for n in reversed(numbers)} == first
    assert len({tuple(mutant.files.values()) for mutant in first.values()}) > 15
    assert all(isinstance(mutant, Seed) for mutant in first.values())
