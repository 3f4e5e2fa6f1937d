"""The page of what each command takes, from what its own help is made of."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from bidsanon.cli import cli

_INTRODUCTION = """\
# Commands

What `--help` says of each, in one place. What a command ends with:
[exit codes](../README.md#exit-codes)."""
_DEFAULT = re.compile(r"\s*\[default: (.*)\]$")


def command_page() -> str:
    """Return the page."""
    sections = (_section(*found) for found in _commands(cli, "bidsanon"))
    return "\n\n".join((_INTRODUCTION, *sections)) + "\n"


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands that do something, with what is typed for each."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is not None:
            yield from _commands(below, f"{path} {name}")


def _section(path: str, command: click.Command) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option)]
    typed = " ".join((path, *(a.metavar or (a.name or "").upper() for a in arguments)))
    lines = [f"## `{path}`", "", f"    {typed}", "", inspect.cleandoc(command.help or "")]
    if options:
        lines += ["", "| option | what it does |", "|---|---|", *map(_row, options)]
    return "\n".join(lines)


def _row(option: click.Option) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {_value(option)}"
    words = _DEFAULT.sub(r" Default: \1.", option.help or "")
    words = " ".join(filter(None, (words, _default(option))))
    return f"| `{_cell(names + value)}` | {_cell(words)} |"


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return f"[{'|'.join(map(str, option.type.choices))}]"
    return option.type.name.upper()


def _default(option: click.Option) -> str:
    if option.required:
        return "Required."
    if isinstance(option.show_default, str):
        return f"Default: {option.show_default}."
    return f"Default: {option.default}." if option.show_default else ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
