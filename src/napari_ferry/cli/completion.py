"""``napari-ferry completion``: completion script of a shell for commands and options.

Scripts are made from the parsers of all commands. They are static, as starting a program at each
press of the Tab key would be too slow.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

from napari_ferry.cli.terminal import show

Commands = Mapping[str, argparse.ArgumentParser]
"""Parser of each command."""

_BASH = """\
_napari_ferry() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" last="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
    case "$COMP_CWORD ${{COMP_WORDS[1]}} $last" in
        "1 "*) words={commands} ;;
{values}
        *) case "$word" in -*) case "${{COMP_WORDS[1]}}" in
{flags}
        esac ;; esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _napari_ferry napari-ferry
"""
"""Script for bash; names of files are completed where there is nothing else to complete."""

_ZSH = "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n"
"""Beginning of the script for zsh, which understands the rest of that for bash."""


def add_options(parser: argparse.ArgumentParser, list_commands: Callable[[], Commands]) -> None:
    """Add the options of the command.

    Parameters
    ----------
    parser : ArgumentParser
        Parser of this command.
    list_commands : callable
        Returns all commands, with the options of all formats.
    """
    parser.add_argument("shell", choices=list(_SCRIPTS), help="shell that runs the script")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "bash: save the script to a file, and add this line to ~/.bashrc:\n"
        "  source FILE\n"
        "zsh: save the script to a file, and add this line to ~/.zshrc:\n"
        "  source FILE\n"
        "fish: run this command:\n"
        "  napari-ferry completion fish > ~/.config/fish/completions/napari-ferry.fish"
    )

    def print_script(options: argparse.Namespace) -> int:
        """Print the script of a shell; return the exit status."""
        show(_SCRIPTS[options.shell](list_commands()).rstrip("\n"))
        return 0

    parser.set_defaults(run=print_script)


def _bash_script(commands: Commands) -> str:
    """Return the script for bash."""
    values, flags = [], []
    for name, parser in commands.items():
        for action in _actions(parser):
            if action.choices:
                before = action.option_strings or [name]  # an argument follows the command
                cases = "|".join(f'*" {name} {word}"' for word in before)
                values.append(f"        {cases}) words={_quote(map(str, action.choices))} ;;")
        own = [flag for action in _actions(parser) for flag in action.option_strings]
        flags.append(f"            {name}) words={_quote(own)} ;;")
    return _BASH.format(commands=_quote(commands), values="\n".join(values), flags="\n".join(flags))


def _zsh_script(commands: Commands) -> str:
    """Return the script for zsh."""
    return _ZSH + _bash_script(commands)


def _fish_script(commands: Commands) -> str:
    """Return the script for fish, with the descriptions of options."""
    start = "complete -c napari-ferry"
    lines = [
        f"{start} -n __fish_use_subcommand -xa {name} -d {_quote([parser.description or ''])}"
        for name, parser in commands.items()
    ]

    for name, parser in commands.items():
        condition = f"-n '__fish_seen_subcommand_from {name}'"
        for action in _actions(parser):
            choices = f" -xa {_quote(map(str, action.choices))}" if action.choices else ""
            if not action.option_strings:
                lines += [f"{start} {condition}{choices}"] if choices else []
                continue
            flags = " ".join(_fish_flag(flag) for flag in action.option_strings)
            needs_value = " -r" if action.nargs != 0 and not choices else ""
            text = _quote([(action.help or "").replace("%%", "%")])
            lines.append(f"{start} {condition} {flags}{choices}{needs_value} -d {text}")
    return "\n".join(lines)


def _fish_flag(flag: str) -> str:
    return f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"


def _actions(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Return the options and arguments of a parser; argparse has no public list of them."""
    return parser._actions


def _quote(words: Iterable[str]) -> str:
    """Return words as one quoted word of a shell."""
    return shlex.quote(" ".join(words))


_SCRIPTS: Mapping[str, Callable[[Commands], str]] = {
    "bash": _bash_script,
    "zsh": _zsh_script,
    "fish": _fish_script,
}
"""The shells, and the function for the script of each."""
