"""The documentation: every public function explained, with an example; generated pages up to date."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.validate import validate

import geoconcept_gis

DOCS = Path(geoconcept_gis.__file__).parents[1] / "docs"
#: No docstring or summary; parameters missing, unknown, without type or text; no returns or yields; no example.
CODES = {"GL08", "SS01", "PR01", "PR02", "PR04", "PR07", "RT01", "YD01", "EX01"}


#: Where users find things; all other modules are rooms behind these doors.
PUBLIC = ("", ".backends", ".concepts", ".coordinates", ".encoder", ".land", ".model", ".progress")


def public_functions():
    """Every function in a public module's `__all__`, and every public method of its classes."""
    found = set()
    for module in (importlib.import_module(f"geoconcept_gis{name}") for name in PUBLIC):
        for value in (getattr(module, name) for name in module.__all__):
            members = vars(value).values() if inspect.isclass(value) else [value]
            for function in (getattr(member, "__func__", member) for member in members):
                if inspect.isfunction(function) and not function.__name__.startswith("_"):
                    found.add(f"{function.__module__}.{function.__qualname__}")
    return sorted(found)


@pytest.mark.parametrize("name", public_functions())
def test_public_functions_are_documented(name):
    """numpydoc finds a summary, every parameter with its type, what is returned, and an example (run as a doctest)."""
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"] if code in CODES]
    assert not errors


def test_the_readme_runs(tmp_path):
    """The README's Python works as it stands, in an empty folder, without a warning."""
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True, capture_output=True)
    made = {"hot_desert.png", "hot_desert.qml", "hot_desert.tif", "olives.png", "scored.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == made


def test_api_page_lists_every_public_name():
    """Nothing public is missing from the API page."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    listed = {line.split(".")[-1].strip() for line in page.splitlines() if line.startswith(":::")}
    missing = set(geoconcept_gis.__all__) - listed - {"__version__", "GeoConceptError"}
    assert not missing
