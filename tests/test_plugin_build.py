"""The plugin's ZIP: the same bytes twice, small enough, nothing in it that the plugin site refuses."""

import ast
import hashlib
import json
import subprocess
import sys
import zipfile

import build_plugin as build
import pytest

from geoconcept_gis import __version__

REQUIRED = ["name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker", "repository"]
#: What the site refuses by its ending.
BINARIES = (".exe", ".dll", ".so", ".dylib", ".bat", ".sh", ".ps1", ".cmd", ".pyc", ".pyd")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tree and ZIP, built here."""
    folder = tmp_path_factory.mktemp("plugin")
    tree = build.build_tree(folder / "geoconcept")
    return tree, build.build_zip(tree, folder / "geoconcept.zip")


def python_files(tree):
    return sorted(tree.rglob("*.py"))


def test_the_same_bytes_twice(made, tmp_path):
    """A second build from the same sources gives the same ZIP."""
    _, archive = made
    again = build.build_zip(build.build_tree(tmp_path / "geoconcept"), tmp_path / "again.zip")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(archive.read_bytes()).digest()


def test_the_zip_follows_the_sites_rules(made):
    """One folder, small enough, no binaries, no hidden files, plain modes, a licence."""
    _, archive = made
    assert archive.stat().st_size < 15_000_000
    with zipfile.ZipFile(archive) as content:
        assert content.testzip() is None
        names = content.namelist()
        assert {info.external_attr >> 16 for info in content.infolist()} == {0o644}
    assert {name.split("/")[0] for name in names} == {"geoconcept"}
    assert {
        "geoconcept/LICENSE",
        "geoconcept/LICENSE.core",
        "geoconcept/NOTICE",
        "geoconcept/metadata.txt",
        "geoconcept/__init__.py",
        "geoconcept/icon.svg",
    } <= set(names)
    assert not [name for name in names if name.endswith(BINARIES) or "/." in name or "__pycache__" in name]


def test_the_metadata_is_whole(made):
    """Every required field, the package's version, QGIS 3.22 to 4."""
    import configparser

    tree, _ = made
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(tree / "metadata.txt", encoding="utf-8")
    general = parser["general"]
    assert all(general.get(key) for key in REQUIRED)
    assert general["version"] == __version__
    assert (general["qgisMinimumVersion"], general["qgisMaximumVersion"]) == ("3.22", "4.99")
    assert general.getboolean("hasProcessingProvider")


def test_every_file_is_python_3_9(made):
    """Syntax, and the calls that later versions brought."""
    tree, _ = made
    for path in python_files(tree):
        text = path.read_text(encoding="utf-8")
        ast.parse(text, filename=str(path), feature_version=(3, 9))
        newer = [
            word
            for word in ("strict=True", "import UTC", "kw_only", "slots=True", "itertools.pairwise")
            if word in text
        ]
        assert not newer, (path, newer)


def test_the_core_is_the_packages(made):
    """Copied from it and from the small model, but for the version; nothing under core/ was written by hand."""
    tree, _ = made
    for path in sorted((tree / "core").rglob("*")):
        own = path.is_relative_to(tree / "core" / "models")
        source = build.MODEL / path.name if own else build.PACKAGE / path.relative_to(tree / "core")
        if path.name == build.VERSION_FILE:
            assert path.read_bytes() == build.version_file(__version__)
        elif path.suffix == ".planes":
            assert path.read_bytes() == build.split_planes(source.with_suffix("").read_bytes())
        elif path.suffix == ".json":
            assert json.loads(path.read_text("utf-8").replace(" ", "")) == json.loads(
                source.read_text("utf-8").replace(" ", "")
            )
        elif path.is_file():
            assert path.read_bytes() == source.read_bytes()
    assert not (build.PLUGIN / "core").exists()


def run_tool(*arguments):
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True)


def test_bandit_finds_nothing_that_blocks(made):
    """The site refuses these; of the rest only subprocess and XML writing are there."""
    tree, _ = made
    report = json.loads(run_tool("bandit", "-q", "-r", str(tree), "-f", "json").stdout)
    assert report["errors"] == []
    assert {found["test_id"] for found in report["results"]} <= {"B404", "B405", "B603"}


def test_flake8_qgis(made):
    """Nothing that QGIS 4 lacks, no undefined names."""
    tree, _ = made
    found = run_tool("flake8", "--select", "QGS1,QGS4,F821,F823,E9", "--isolated", str(tree))
    assert found.stdout == ""
    assert found.returncode == 0


def test_no_secrets(made):
    """Hashes are written so that they are not taken for some."""
    tree, _ = made
    scan = run_tool("detect_secrets", "scan", "--all-files", str(tree))
    assert json.loads(scan.stdout)["results"] == {}


def test_a_zip_over_the_limit_is_refused(made, tmp_path, monkeypatch):
    """It says by how much, and leaves no archive to upload by mistake."""
    tree, _ = made
    monkeypatch.setattr(build, "LIMIT", 1000)
    with pytest.raises(SystemExit, match="more than 1,000"):
        build.build_zip(tree, tmp_path / "geoconcept.zip")
    assert not (tmp_path / "geoconcept.zip").exists()
