"""The benchmarks run through with small files, and their table says what it should."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.growth import growth_table, opening_groups, reading_groups, saving_groups
from benchmarks.measure import Case, Group, Result, _measure, measure_group, table
from benchmarks.page import write_section

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path]]:
    folder = tmp_path_factory.mktemp("bench")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--folder", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, list(folder.iterdir())


@pytest.mark.slow
def test_quick_run_measures_every_job_beside_the_others(quick_run):
    text, _ = quick_run
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {11}
    jobs = ("import", "first frame", "random frames", "whole", "save", "copy")
    for job in jobs:
        assert any(row.startswith("|") and job in row.split("|")[1] for row in rows), job
    for other in ("tifffile", "napari built-in", "Pillow", "the same again (A/A)"):
        assert any(other in row.split("|")[2] for row in rows), other


@pytest.mark.slow
def test_quick_run_leaves_nothing_behind(quick_run):
    _, left = quick_run
    assert not left


def test_first_case_is_one_and_missed_goals_are_named(tmp_path):
    case = Case("a", "importing:module", {"name": "json"}, goals={"wall": 2.0, "peak": -1.0})
    (result,) = measure_group(Group("g", [case], 1), tmp_path)
    assert result.wall == 1.0
    assert result.missed == ["peak"]
    assert "met <= 2x, MISSED <= -1 MB" in table([result])


def test_case_that_fails_says_why(tmp_path):
    case = Case("a", "importing:module", {"name": "no_such_module"})
    with pytest.raises(RuntimeError, match="No module named 'no_such_module'"):
        list(measure_group(Group("g", [case], 1), tmp_path))


def test_processes_that_a_job_starts_are_counted(monkeypatch):
    code = "x = bytes(range(256)) * 400_000\nfor _ in range(4_000_000): pass"

    def make(out):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    monkeypatch.setattr("benchmarks.importing.child", make, raising=False)
    measured = _measure({"make": "importing:child", "settings": {"out": ""}, "repeats": 1})
    assert measured["cpu"] > 0.05
    assert 100e6 < measured["peak"] < 200e6


def test_table_has_a_row_for_each_result():
    one = Result("g", Case("a", "m:f"), 1.0, 0.5, 1.0, 1.0, (0.9, 1.1), 1.0, 12.0)
    assert table([one, one]).count("\n") == 3


def test_section_of_a_page_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- table -->\nold\n<!-- end of table -->\nb\n", "utf-8")
    write_section(page, "table", "| new |")
    assert page.read_text("utf-8") == ("a\n<!-- table -->\n\n| new |\n\n<!-- end of table -->\nb\n")
    with pytest.raises(ValueError, match='"growth" and "end of growth"'):
        write_section(page, "growth", "")


def test_growth_has_a_case_for_each_size(tmp_path):
    groups = [
        *saving_groups([0.001, 0.002], 1)[:1],
        *reading_groups(tmp_path, [0.001], 1)[:1],
        *opening_groups(tmp_path, [5], 1)[:1],
    ]
    results = [one for group in groups for one in measure_group(group, tmp_path, fresh=False)]
    rows = growth_table(results).splitlines()[2:]
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| save .bin", "0.001 GB"],
        ["| ", "0.002 GB"],
        ["| first frame of a .tif", "0.001 GB"],
        ["| first frame, by compressed pages", "5"],
    ]
