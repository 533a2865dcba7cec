"""Build all that a release publishes, or prove that it comes out the same byte for byte.

    python tools/release.py build [OUT]      sdist and the wheel made from it, the wheel of encoders/, the plugin's ZIP,
                                             SHA256SUMS; default dist/
    python tools/release.py reproduce [OUT]  two clones of HEAD, built in two places: equal to each other, and to OUT

Needs the packages of tools/release-requirements.txt, whose versions are part of what makes the bytes.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The two wheels, and the bytes that each must stay under.
LIMITS = {"geoconcept_gis": 30_000_000, "geoconcept_gis_encoders": 40_000_000}
SUMS = "SHA256SUMS"
#: What must not matter: the way to the wheel, the umask, the clock's zone, the language, the order of hashes.
SETTINGS = (
    ([], 0o022, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}),
    (["--sdist", "--wheel"], 0o077, {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"}),
)


def build(root, out, arguments=(), umask=0o022, environment=None):
    """Build a checkout into a folder; return the sha256 of every file by name."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("geoconcept*"), out / SUMS]:
        old.unlink(missing_ok=True)
    # hatchling writes one fixed date, unless this variable names another.
    variables = {**os.environ, **(environment or {})}
    variables.pop("SOURCE_DATE_EPOCH", None)
    for command in (
        ["-m", "build", "--no-isolation", "--outdir", str(out), *arguments, str(root)],
        # No sdist of its own: that of the package holds all of it, and the version that both have.
        ["-m", "build", "--no-isolation", "--outdir", str(out), "--wheel", str(root / "encoders")],
        [str(root / "qgis_plugin" / "build_plugin.py"), "--archive", str(out / "geoconcept.zip")],
    ):
        run = subprocess.run(
            [sys.executable, *command], env=variables, umask=umask, capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise SystemExit(f"{' '.join(command)}:\n{run.stdout}{run.stderr}")
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob("geoconcept*"))}
    (out / SUMS).write_text("".join(f"{value}  {name}\n" for name, value in sums.items()), "utf-8")
    return sums


def check_size(out):
    """Stop if a wheel is too large for what the project promises."""
    for name, limit in LIMITS.items():
        [wheel] = out.glob(f"{name}-*.whl")
        if wheel.stat().st_size >= limit:
            raise SystemExit(f"{wheel.name} has {wheel.stat().st_size:,} bytes; the limit is {limit:,}")


def reproduce(root):
    """Build HEAD in two clones; return the sums, or stop at the first file that differs."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, setting in zip(("a", "another folder/deeper"), SETTINGS, strict=True):
            clone = Path(folder) / name
            subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(root), str(clone)], check=True)
            found.append(build(clone, Path(folder) / f"{len(found)}", *setting))
    compare(*found)
    return found[0]


def compare(one, other):
    """Stop if two builds are not the same files."""
    unequal = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    if unequal:
        raise SystemExit(f"not the same twice: {', '.join(unequal)}")


def read_sums(out):
    """Read what `build` wrote beside the files."""
    lines = (line.split("  ", 1) for line in (out / SUMS).read_text("utf-8").splitlines())
    return {name: value for value, name in lines}


def main():
    """Do what was asked for and name the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["build", "reproduce"])
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "dist")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    if arguments.what == "build":
        sums = build(ROOT, out)
        check_size(out)
    else:
        sums = reproduce(ROOT)
        if (out / SUMS).is_file():
            compare(sums, read_sums(out))
    for name, value in sums.items():
        print(f"{value}  {name}")
    print("the same twice" if arguments.what == "reproduce" else f"in {out}")


if __name__ == "__main__":
    main()
