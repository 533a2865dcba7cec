"""Write docs/command-line.md, the reference of all commands, from the commands themselves.

Run `python tools/write_cli_page.py` after a command or an option has changed; tests/test_site.py fails until then.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer

from geoconcept_gis.cli.main import app

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"
HEAD = """# Command line

All commands with their options, written by `tools/write_cli_page.py` from the program itself. `geoconcept COMMAND
--help` says the same on your screen. What the commands are for is told in the [tutorial](tutorial.md) and the guides.

Exit code 0 means done, 1 that the input or a file was at fault, 2 that the command was typed wrongly. A failed or
interrupted command leaves no half-written file. Coordinates are longitude first.
"""
#: What other versions of typer call the same types.
TYPES = {"STR": "TEXT", "LIST[STR]": "TEXT", "LIST[PATH]": "PATH", "INT": "INTEGER", "INT RANGE": "INTEGER", "BOOL": ""}


def commands(group: Any, path: tuple[str, ...] = ("geoconcept",)) -> list[tuple[tuple[str, ...], Any]]:
    """Return every command that can be run, with the words that call it, in the order of the help."""
    if not hasattr(group, "commands"):
        return [(path, group)]
    return [found for name, command in group.commands.items() for found in commands(command, (*path, name))]


def parts(parameter: Any, context: Any) -> tuple[str, str]:
    """Return the names of a parameter with what it takes, and what it does with its default."""
    names, text = parameter.get_help_record(context)
    names = re.sub(r"<([^<>|]+)>", lambda found: TYPES.get(found[1].upper(), found[1].upper()), names)
    # Brackets hold the default, what is required, and ranges; only the first is worth a reader's time.
    bounds = r"(?:\d+<=)?x(?:<=|>=)\d+"
    text = re.sub(rf"\s*\[(?:required|{bounds})\]|; {bounds}(?=\])", "", text)
    text = re.sub(r"\s*\[default: \(?(.*?)\)?\]", r" Default: \1.", text)
    names = re.sub(r"[<>]", "", names).strip()
    if parameter.param_type_name == "argument":
        names = names.split()[0].upper()
    return names, " ".join(text.split())


def table(title: str, parameters: list[Any], context: Any) -> list[str]:
    """Return the lines of a table of arguments or options; none where there are none."""
    rows = [[cell.replace("|", "&#124;") for cell in parts(parameter, context)] for parameter in parameters]
    lines = [f"| <code>{names}</code> | {text} |" for names, text in rows]
    return [f"| {title} | |", "| --- | --- |", *lines, ""] if rows else []


def section(path: tuple[str, ...], command: Any, context: Any) -> str:
    """Return the part of the page about one command."""
    summary, *examples = re.split(r"\s*Examples?: ", command.help.strip(), maxsplit=1)
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    words = [parts(a, context)[0] if a.required else f"[{parts(a, context)[0]}]" for a in arguments]
    lines = [f"## {' '.join(path)}", "", *(line.strip() for line in summary.splitlines()), ""]
    lines += ["```text", " ".join([*path, "[OPTIONS]", *words]), "```", ""]
    if examples:
        lines += ["```bash", *(" ".join(line.split()) for line in examples[0].split(";\n")), "```", ""]
    return "\n".join([*lines, *table("argument", arguments, context), *table("option", options, context)])


def page() -> str:
    """Return the whole page."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    return "\n".join([HEAD, *(section(path, command, context) for path, command in commands(group))]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
