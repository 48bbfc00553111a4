"""``napari-ferry completion``: scripts that shells run."""

import shutil
import subprocess
from pathlib import Path

import pytest

from napari_ferry.cli import main

BASH = """
source "$1"; shift
COMP_WORDS=(napari-ferry "$@"); COMP_CWORD=$#
_napari_ferry
printf '%s\\n' "${COMPREPLY[@]}"
"""

ZSH = """
source "$1"; shift
emulate ksh  # as bashcompinit calls a function for bash
COMP_WORDS=(napari-ferry "$@"); COMP_CWORD=$#
compgen() { printf '%s\\n' ${=2} | grep -e "^$4" }
_napari_ferry
printf '%s\\n' "${COMPREPLY[@]}"
"""

FISH = 'source $argv[1]; complete -C "napari-ferry $argv[2..]"'

RUNS = {
    "bash": ["bash", "--norc", "-c", BASH, "bash"],
    "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
    "fish": ["fish", "--no-config", "-c", FISH],
}


def complete(shell: str, script: Path, words: list[str]) -> list[str]:
    """Return what a shell offers for the last of some words after the name of the program."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    command = [*RUNS[shell], str(script), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent)
    assert done.stderr == ""
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


@pytest.fixture(params=RUNS)
def script(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Save the script for a shell, as a file with the name of the shell."""
    assert main(["completion", request.param]) == 0
    path = tmp_path / request.param
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["con"], {"convert"}),
        (["convert", "a.tif", "--dry"], {"--dry-run"}),
        (["convert", "a.tif", "b.mp4", "--quality", "h"], {"high"}),
        (["convert", "--compression", "z"], {"zlib", "zstd"}),
        (["convert", "--format", ".ome"], {".ome.tif", ".ome.tiff", ".ome.zarr"}),
        (["convert", "--size"], {"--size-cap"}),
        (["info", "--j"], {"--json"}),
        (["completion", "f"], {"fish"}),
    ],
)
def test_shells_complete_commands_options_and_words(
    words: list[str], expected: set[str], script: Path
) -> None:
    assert set(complete(script.name, script, words)) == expected


def test_names_of_files_are_left_to_the_shell(script: Path) -> None:
    (script.parent / "notes.tif").touch()
    found = complete(script.name, script, ["info", "no"])
    if script.name == "fish":
        assert found == ["notes.tif"]
    else:  # the shell offers names itself where a function offers nothing
        assert found == [""]
        assert "complete -o default -F" in script.read_text("utf-8")


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "sh"])
    assert "invalid choice: 'sh'" in capsys.readouterr().err
