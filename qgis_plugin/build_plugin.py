"""Build the QGIS plugin: its own files, the package's numpy part and a model as ``core/``, and one reproducible ZIP.

    python qgis_plugin/build_plugin.py

Makes ``build/qgis/geoconcept/``, which tests run, and ``dist/geoconcept.zip``, which analysts install. Needs nothing
but Python: the same sources give the same bytes.
"""

import argparse
import re
import runpy
import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, PLUGIN = ROOT / "geoconcept_gis", ROOT / "qgis_plugin" / "geoconcept"
TREE, ARCHIVE = ROOT / "build" / "qgis" / "geoconcept", ROOT / "dist" / "geoconcept.zip"
#: The model that the plugin brings.
MODEL = ROOT / "encoders" / "geoconcept_gis_encoders" / "models" / "geoconcept-small"
#: Ours for the plugin's ZIP; the site takes 25 MB.
LIMIT = 15_000_000
#: The part of the package that runs on numpy alone, in Python 3.9. tests/test_layers.py walks its imports.
CORE = (
    "__init__.py",
    "_version.py",
    "backends/__init__.py",
    "backends/choice.py",
    "concept_files.py",
    "concepts/*.py",
    "coordinates.py",
    "datasets.py",
    "encoder/*.py",
    "errors.py",
    "explanation.py",
    "files.py",
    "fitting.py",
    "from_places.py",
    "gallery.py",
    "land_mask.py",
    "locate/__init__.py",
    "locate/density.py",
    "locate/hexgrid.py",
    "locate/posterior.py",
    "locate/reasons.py",
    "locate/sphere.py",
    "locate/vectors.py",
    "logistic.py",
    "model.py",
    "place_vectors.py",
    "progress.py",
    "reference.py",
    "similar.py",
    "storage.py",
    "style.py",
    "tensors.py",
    "text/__init__.py",
    "text/concept.py",
    "text/lookup.py",
    "text/words.py",
)
#: Data of the core, at the same place as in the package.
DATA = (
    "data/land_mask.safetensors",
    "data/locate.json",
    "data/locate.safetensors",
    "data/photo_places.safetensors",
    "data/world_places.csv",
)
#: Large float16 arrays: their two byte planes apart are smaller in the ZIP.
IN_PLANES = ("location_encoder.safetensors", "image_head.safetensors")
#: In a checkout it asks git; what is built only names its version.
VERSION_FILE = "_version.py"
_SKIPPED = ("__pycache__", ".pyc", ".ts")
_DATE = (2020, 1, 1, 0, 0, 0)


def files_of(patterns, folder=PACKAGE):
    """Files of the package, or of another folder, by pattern; each once, in order."""
    found = []
    for pattern in patterns:
        matches = sorted(path for path in folder.glob(pattern) if path.is_file())
        if not matches:
            raise SystemExit(f"{folder.relative_to(ROOT)}/{pattern} matches no file")
        found += matches
    return list(dict.fromkeys(found))


def sources():
    """Every file of the core, by its name there."""
    core = {source.relative_to(PACKAGE).as_posix(): source for source in files_of(CORE + DATA)}
    # Of the two tables of words a model may have, the smaller one: the other is for the package.
    model = [source for source in files_of(["*"], MODEL) if not source.name.startswith("adapter.")]
    return {**core, **{f"models/{MODEL.name}/{source.name}": source for source in model}}


def build_tree(tree=TREE):
    """Lay the plugin out as QGIS finds it; return its folder."""
    if tree.exists():
        shutil.rmtree(tree)
    shutil.copytree(PLUGIN, tree, ignore=lambda _, names: [n for n in names if n.endswith(_SKIPPED)])
    for name, source in sources().items():
        target = tree / "core" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name == VERSION_FILE:
            target.write_bytes(version_file(version()))
        elif target.name in IN_PLANES:
            target.with_name(target.name + ".planes").write_bytes(split_planes(source.read_bytes()))
        else:
            target.write_bytes(_grouped(source.read_bytes()) if name.endswith(".json") else source.read_bytes())
    # The core is under the package's own licence, and names the works of others that are in it.
    shutil.copyfile(ROOT / "LICENSE", tree / "LICENSE.core")
    shutil.copyfile(ROOT / "NOTICE", tree / "NOTICE")
    metadata = tree / "metadata.txt"
    metadata.write_text(
        re.sub(r"(?m)^version=.*$", f"version={version()}", metadata.read_text(encoding="utf-8")), "utf-8"
    )
    return tree


def _grouped(text):
    """Write hashes in groups of eight: the site's scan takes an unbroken one for a secret."""
    return re.sub(rb'"([0-9a-f]{64})"', lambda found: b'"' + b" ".join(re.findall(rb".{8}", found[1])) + b'"', text)


def split_planes(content):
    """As geoconcept_gis.tensors.split_planes, which this script must not need numpy for."""
    return content[::2] + content[1::2]


def version():
    """The package's version is the plugin's."""
    return runpy.run_path(str(PACKAGE / VERSION_FILE))["__version__"]


def version_file(version):
    """What stands for _version.py in all that is built."""
    text = f'"""The version, written by the build."""\n\n__all__ = ["__version__"]\n\n__version__ = "{version}"\n'
    return text.encode()


def build_zip(tree=TREE, archive=ARCHIVE):
    """Pack the folder: names in order, one date, one mode, so that equal files give equal bytes."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for path in sorted(p for p in tree.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            entry = zipfile.ZipInfo(f"{tree.name}/{path.relative_to(tree).as_posix()}", _DATE)
            entry.external_attr, entry.compress_type, entry.create_system = 0o644 << 16, zipfile.ZIP_DEFLATED, 3
            out.writestr(entry, path.read_bytes(), compresslevel=9)
    size = part.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"the ZIP has {size:,} bytes, more than {LIMIT:,}: {part} is left for a look")
    part.replace(archive)
    return archive


def main():
    """Build what was asked for and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree-only", action="store_true", help="no ZIP, which takes two seconds")
    parser.add_argument("--archive", type=Path, default=ARCHIVE, help="where the ZIP goes")
    arguments = parser.parse_args()
    tree = build_tree()
    print(f"{tree.relative_to(ROOT)}: {sum(p.stat().st_size for p in tree.rglob('*') if p.is_file()):,} bytes")
    if not arguments.tree_only:
        archive = build_zip(archive=arguments.archive)
        print(f"{archive}: {archive.stat().st_size:,} bytes of at most {LIMIT:,}")


if __name__ == "__main__":
    sys.exit(main())
