"""Install what was built as a user would, far from the checkout, try it, take it away again.

    python tools/release_trial.py DIST VENV

The wheel goes into a new environment VENV, which stays for `make sbom`; the sdist into one that does not. To each comes
the wheel of encoders, whose models must open by name. Prints what was installed, how large and how fast, and what an
uninstallation leaves.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: Never among what a plain installation brings.
HEAVY = {"torch", "torchvision", "onnxruntime", "open-clip-torch", "tensorflow", "jax"}


class Environment:
    """A new virtual environment, whose commands run in an empty folder with an empty home."""

    def __init__(self, folder, away):
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        self.folder, self.away = folder, away
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        home = away / "home"
        home.mkdir(parents=True, exist_ok=True)
        self.variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.nobody = {
            **self.variables,
            "HOME": str(home),
            "USERPROFILE": str(home),
            "XDG_CACHE_HOME": f"{home}/.cache",
        }

    def pip(self, *arguments):
        """Run pip, with the settings of whoever runs this: they say where packages come from."""
        return self.run("python", "-m", "pip", "--disable-pip-version-check", *arguments, variables=self.variables)

    def run(self, name, *arguments, variables=None):
        """Run one of its commands; stop with what it said if it fails."""
        command = [str(self.bin / name), *map(str, arguments)]
        run = subprocess.run(
            command,
            cwd=self.away,
            env=variables or self.nobody,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if run.returncode:
            raise SystemExit(f"{' '.join(command)}:\n{run.stdout}{run.stderr}")
        return run.stdout

    def install(self, *arguments):
        """Run pip and return the seconds it took."""
        begin = time.perf_counter()
        self.pip("install", "--quiet", *arguments)
        return time.perf_counter() - begin

    def names(self):
        """Return what is installed, as pip writes it: ``name==version``."""
        return self.pip("list", "--format=freeze").split()

    def size(self):
        """Return the bytes of all files."""
        return sum(path.lstat().st_size for path in self.folder.rglob("*") if path.is_file())

    def files(self):
        """Return every file outside pip's own compiled ones."""
        return {path for path in self.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def try_out(environment, version):
    """The command, its picture and a score, where no checkout is near."""
    assert environment.run("geoconcept", "--version").split() == ["geoconcept", version]
    assert version in environment.run("geoconcept", "info")
    environment.run("geoconcept", "demo", "made")
    pictures = sorted(path.name for path in (environment.away / "made").glob("*.png"))
    assert pictures, "the demo made no picture"
    environment.run("python", "-c", "import geoconcept_gis as gc; gc.concept_from_text('olive groves by the sea')")
    return pictures


def try_encoders(environment):
    """Every model opens by name and scores; one of the other wheel makes a map. Return those that it brought."""
    names = environment.run(
        "python",
        "-c",
        "import geoconcept_gis as gc; from geoconcept_gis.model import bundled_models as b; print(*b());"
        "[gc.load_model(name).score([[31.2, 30.0]], 'hot desert climate') for name in b()]",
    ).split()
    environment.run("geoconcept", "map", "hot desert climate", "-r", "5", "-o", "map.tif", "--model", names[-1])
    return [name for name in names if name != "geoclip"]


def heavy_among(names):
    """Return what must not be there: torch, its relatives, and NVIDIA's libraries."""
    found = {name.split("==")[0].lower().replace("_", "-") for name in names}
    return sorted(name for name in found if name in HEAVY or name.startswith("nvidia-"))


def trial(archive, encoders, folder, version, away):
    """Install, try, uninstall, look what is left; install again."""
    environment = Environment(folder, away)
    empty = environment.size()
    seconds = environment.install(archive)
    names, size = environment.names(), environment.size() - empty
    print(f"{archive.name}: {len(names)} packages, {size / 1e6:,.0f} MB, {seconds:.0f} s")
    print("  " + " ".join(names))
    if heavy := heavy_among(names):
        raise SystemExit(f"a plain installation brings {', '.join(heavy)}")
    environment.install(f"{archive}[plot]")
    before = environment.files()
    pictures = try_out(environment, version)
    print(f"  geoconcept info, demo ({', '.join(pictures)}) and words work in {away}")
    environment.install("--no-deps", encoders)
    models = try_encoders(environment)
    assert models, f"{encoders.name} brings no model"
    print(f"  with {encoders.name}: {', '.join(models)} open by name")
    left = sorted(str(path.relative_to(away)) for path in (away / "home").rglob("*") if path.is_file())
    print(f"  written outside the folder that was asked for: {', '.join(left) or 'nothing'}")
    environment.pip("uninstall", "--yes", "--quiet", "geoconcept-gis", "geoconcept-gis-encoders")
    ours = sorted(path for path in environment.folder.rglob("*geoconcept*") if "__pycache__" not in path.parts)
    if ours:
        raise SystemExit(f"an uninstallation leaves {', '.join(map(str, ours))}")
    new = environment.files() - before
    print(f"  uninstalled: nothing of ours is left{', but ' + ', '.join(map(str, new)) if new else ''}")
    environment.install("--no-deps", archive)


def main():
    """Try both; keep the wheel's environment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dist", type=Path)
    parser.add_argument("venv", type=Path)
    arguments = parser.parse_args()
    dist = arguments.dist.resolve()
    [wheel], [sdist] = dist.glob("geoconcept_gis-*.whl"), dist.glob("*.tar.gz")
    [encoders] = dist.glob("geoconcept_gis_encoders-*.whl")
    version = wheel.name.split("-")[1]
    with tempfile.TemporaryDirectory() as folder:
        trial(wheel, encoders, arguments.venv.resolve(), version, Path(folder) / "wheel")
        trial(sdist, encoders, Path(folder) / "venv", version, Path(folder) / "sdist")


if __name__ == "__main__":
    main()
