"""Run the Python of a page of the documentation, block by block, as a reader would.

    python tools/run_page.py docs/tutorial.md FOLDER

All blocks share one namespace and the folder, so the pictures of the page are made anew there. A block marked `text`
right after a block of Python is what that block prints; where it prints something else, the program says so and stops.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

#: How far a printed number may be off: other processors round otherwise.
RELATIVE, ABSOLUTE = 0.02, 0.02


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    code: str
    line: int
    #: True where nothing but an empty line stands between it and the block before.
    follows: bool


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page; of indented ones (in tabs and lists) the indent is taken off."""
    found: list[Block] = []
    text, end = page.read_text(encoding="utf-8"), 0
    for match in re.finditer(r"^([ ]*)```(\w*)[^\n]*\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL):
        indent, language, code = match.groups()
        code = re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)
        line = text.count("\n", 0, match.start()) + 2
        found.append(Block(language, code, line, not text[end : match.start()].strip()))
        end = match.end()
    return found


def same(printed: str, expected: str) -> bool:
    """Tell whether two texts are alike: the same words, and numbers that are close."""
    ours, theirs = printed.split(), expected.split()
    return len(ours) == len(theirs) and all(_alike(a, b) for a, b in zip(ours, theirs, strict=True))


def _alike(a: str, b: str) -> bool:
    try:
        return a == b or abs(float(a) - float(b)) <= ABSOLUTE + RELATIVE * abs(float(b))
    except ValueError:
        return False


def run(page: Path) -> int:
    """Run the blocks of a page in the current folder and return how many there were."""
    names: dict[str, object] = {"__name__": "__main__"}
    printed, count = "", 0
    for block in blocks(page):
        if block.language == "python":
            count += 1
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec"), names)
            printed = output.getvalue()
            print(printed, end="")
        elif block.language == "text" and block.follows and not same(printed, block.code):
            raise SystemExit(
                f"{page}:{block.line}: the page says\n\n{block.code}\nbut the code before it prints\n\n{printed}"
            )
    return count


if __name__ == "__main__":
    chosen = Path(sys.argv[1]).resolve()
    os.chdir(sys.argv[2])
    print(f"{run(chosen)} blocks of {chosen.name} run", file=sys.stderr)
