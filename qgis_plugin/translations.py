"""Keep the plugin's translations: collect what users read, and compile what has been translated.

    python qgis_plugin/translations.py            # bring the .ts files up to date with the sources
    python qgis_plugin/translations.py --compile  # and write the .qm files that QGIS reads (needs Qt's lrelease)

Texts are what stands in ``self.tr("...")``, ``self.shared("...")``, ``tr("Context", "...")`` and in the class
attributes ``TITLE``, ``GROUP`` and ``HELP`` of algorithms. Qt Linguist, or any editor, opens a .ts file to translate
it.
"""

import argparse
import ast
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

PLUGIN = Path(__file__).resolve().parent / "geoconcept"
FOLDER = PLUGIN / "i18n"
#: Context of what all algorithms share.
SHARED = "ConceptAlgorithm"


def texts():
    """Return every (context, text), sorted."""
    found = set()
    for path in sorted(PLUGIN.rglob("*.py")):
        found |= set(_texts_of(ast.parse(path.read_text(encoding="utf-8")), None))
    return sorted(found)


def _texts_of(node, owner):
    for child in ast.iter_child_nodes(node):
        here = child.name if isinstance(child, ast.ClassDef) else owner
        yield from _texts_of(child, here)
        if isinstance(child, ast.ClassDef):
            yield from _attributes(child)
        elif isinstance(child, ast.Call):
            yield from _call(child, owner)


def _attributes(owner):
    for statement in owner.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, text = statement.targets[0].id, _text(statement.value)
            if name in ("TITLE", "HELP", "GROUP") and text:
                yield (SHARED if name == "GROUP" else owner.name), text


def _call(call, owner):
    function = call.func
    if isinstance(function, ast.Name) and function.id == "tr" and len(call.args) > 1:
        context, text = _text(call.args[0]), _text(call.args[1])
    elif isinstance(function, ast.Attribute) and function.attr in ("tr", "shared") and call.args:
        context, text = (SHARED if function.attr == "shared" else owner), _text(call.args[0])
    else:
        return
    if context and text:
        yield context, text


def _text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def read(path):
    """Return the translations of a .ts file by context and text; empty where none is finished."""
    if not path.is_file():
        return {}
    return {
        (context.findtext("name"), message.findtext("source")): message.findtext("translation") or ""
        for context in ET.parse(path).getroot().iter("context")
        for message in context.iter("message")
    }


def write(path, translations):
    """Write a .ts file: contexts and texts in order, so that it diffs well."""
    root = ET.Element("TS", version="2.1", language=path.stem.split("_", 1)[1], sourcelanguage="en")
    contexts = {}
    for context, source in sorted(translations):
        if context not in contexts:
            contexts[context] = ET.SubElement(root, "context")
            ET.SubElement(contexts[context], "name").text = context
        message = ET.SubElement(contexts[context], "message")
        ET.SubElement(message, "source").text = source
        done = translations[context, source]
        translation = ET.SubElement(message, "translation", {} if done else {"type": "unfinished"})
        translation.text = done
    ET.indent(root)
    content = ET.tostring(root, encoding="unicode")
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{content}\n', encoding="utf-8")


def compile_all():
    """Write a .qm beside every .ts."""
    program = (
        shutil.which("lrelease")
        or shutil.which("lrelease-qt5")
        or next(map(str, Path("/usr/lib/qt5/bin").glob("lrelease")), None)
    )
    if program is None:
        sys.exit("Qt's lrelease is not here (Debian: qttools5-dev-tools)")
    for path in sorted(FOLDER.glob("*.ts")):
        subprocess.run([program, "-silent", str(path), "-qm", str(path.with_suffix(".qm"))], check=True)


def main():
    """Update every language, and say what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true", help="write .qm files, too")
    arguments = parser.parse_args()
    wanted = texts()
    for path in sorted(FOLDER.glob("*.ts")):
        known = read(path)
        write(path, {key: known.get(key, "") for key in wanted})
        print(f"{path.name}: {len(wanted)} texts, {sum(not known.get(key) for key in wanted)} to translate")
    if arguments.compile:
        compile_all()


if __name__ == "__main__":
    main()
