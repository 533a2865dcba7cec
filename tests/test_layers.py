"""The layers that may not be crossed, and the cost of importing the package."""

import ast
import subprocess
import sys
from pathlib import Path

import build_plugin
import pytest

import geoconcept_gis

PACKAGE = Path(geoconcept_gis.__file__).parent
CORE = [PACKAGE / "coordinates.py", PACKAGE / "errors.py", PACKAGE / "progress.py"]
CORE += [PACKAGE / "text" / "words.py", PACKAGE / "text" / "lookup.py"]
CORE += sorted((PACKAGE / "encoder").glob("*.py")) + sorted((PACKAGE / "concepts").glob("*.py"))
ALLOWED = {"numpy"} | set(sys.stdlib_module_names)
HEAVY = ("torch", "onnxruntime", "onnx", "pandas", "geopandas", "shapely", "xarray", "rasterio", "matplotlib", "scipy")


def imports(path):
    """Top-level module names that a file imports when it is run (type-checking blocks left out)."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    checked = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in checked:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_core_imports_numpy_alone(path):
    """Coordinates, encoder, concepts and the table of words need nothing but numpy, in Python 3.9 syntax."""
    assert set(imports(path)) <= ALLOWED


def at_import(path):
    """Top-level module names that a file imports when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    "path", build_plugin.files_of(build_plugin.CORE), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_what_qgis_gets_is_imported_on_numpy(path):
    """All that the plugin ships is Python 3.9, and is imported with numpy alone; what needs more waits in functions."""
    assert set(at_import(path)) <= ALLOWED


def loaded_by(statement):
    code = f"{statement}; import sys; print(*sys.modules)"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_importing_the_package_is_light():
    """`import geoconcept_gis` loads neither numpy's heavy friends nor torch nor matplotlib."""
    assert not set(loaded_by("import geoconcept_gis")) & set(HEAVY)


def test_small_jobs_stay_on_numpy():
    """Loading a model and encoding a place starts no torch, onnxruntime, pandas or geopandas."""
    loaded = loaded_by("import geoconcept_gis as gc; gc.load_model().encode([[0, 0]])")
    assert not set(loaded) & set(HEAVY)


def test_every_public_name_is_there_and_documented():
    """Everything in `__all__` resolves, and carries a docstring with an example where it is a function."""
    for name in geoconcept_gis.__all__:
        value = getattr(geoconcept_gis, name)
        if callable(value) and not isinstance(value, type):
            assert ">>>" in value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        geoconcept_gis.nothing  # noqa: B018
    assert dir(geoconcept_gis) == sorted(geoconcept_gis.__all__)
