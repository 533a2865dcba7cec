"""What mkdocs.yml asks for beside plugins: files of the root as pages, and which pages the search puts first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: Pages that are a file of the root, and where that file's other neighbours are told of on the site.
PAGES = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
NEIGHBOURS = {**{file: page for page, file in PAGES.items()}, "NOTICE": "provenance.md"}
#: Who searches is mostly new here: what explains comes before long lists, in which every word occurs.
FIRST = {"install.md", "tutorial.md", "scores.md", "limits.md", "qgis.md", "locate.md", "words.md"}
LAST = {"api.md", "architecture.md", "changelog.md", "status.md", "versions.md", "contributing.md"}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put the root's file in place of the page, with links as they are from docs/; weigh the page for the search."""
    name = page.file.src_uri
    if name in FIRST:
        page.meta["search"] = {"boost": 4}
    elif name in LAST or name.startswith("concepts/"):
        page.meta["search"] = {"boost": 0.2}
    if name not in PAGES:
        return markdown
    text = (ROOT / PAGES[name]).read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](", text)
    return re.sub(r"\]\(([\w.]+)\)", lambda link: f"]({NEIGHBOURS.get(link[1], link[1])})", text)
