"""What is built and published: its version, its size, the same bytes twice, and that it works where no checkout is."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import release
import release_sbom
import release_trial

import geoconcept_gis
from geoconcept_gis import _version
from geoconcept_gis.tensors import PLANES

ROOT = Path(geoconcept_gis.__file__).parents[1]
GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
checkout_only = pytest.mark.skipif(not hasattr(_version, "describe"), reason="what is built only names its version")
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


@pytest.mark.parametrize(
    ("description", "version"),
    [
        ("v0.1.0", "0.1.0"),
        ("v1.2.3rc1", "1.2.3rc1"),
        ("v1.2.9-5-g9de1d90ab", "1.2.10.dev5+g9de1d90ab"),
        ("v1.2.3rc1-5-g9de1d90ab-dirty", "1.2.3rc2.dev5+g9de1d90ab.dirty"),
        ("v1.2.3-dirty", "1.2.4.dev0+dirty"),
        ("9de1d90ab", "NEXT.dev0+g9de1d90ab"),
        ("9de1d90ab-dirty", "NEXT.dev0+g9de1d90ab.dirty"),
        ("", "NEXT.dev0"),
        ("v1.2-nonsense", "NEXT.dev0"),
    ],
)
@checkout_only
def test_a_description_becomes_a_version(description, version):
    """A tag's own; else one that sorts after it and before what comes next."""
    assert _version.version_of(description) == version.replace("NEXT", _version.NEXT)


@checkout_only
def test_development_versions_sort_between_releases():
    from packaging.version import Version

    steps = ["v1.2.3rc1", "v1.2.3rc1-1-g9de1d90ab", "v1.2.3", "v1.2.3-1-g9de1d90ab", "v1.2.3-12-g9de1d90ab", "v1.2.4"]
    found = [Version(_version.version_of(one)) for one in steps]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit, which has what an archive is described by."""
    root = tmp_path / "repository"
    root.mkdir()
    for name in (".git_archival.txt", ".gitattributes"):
        if not (ROOT / name).is_file():
            pytest.skip("only in a checkout")
        shutil.copyfile(ROOT / name, root / name)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "one")
    return root


def git(root, *arguments):
    command = [*GIT, "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@needs_git
@checkout_only
def test_the_version_comes_from_the_tag(repository):
    """None yet, one here, one before, files that were changed; tags of other kinds do not count."""
    git(repository, "tag", "version-of-something-else")
    assert _version.describe(repository) == git(repository, "rev-parse", "HEAD")[:9]
    git(repository, "tag", "v0.2.0")
    assert _version.version_of(_version.describe(repository)) == "0.2.0"
    (repository / ".gitattributes").write_text("")
    assert _version.version_of(_version.describe(repository)) == "0.2.1.dev0+dirty"
    git(repository, "commit", "--quiet", "--all", "--message", "two")
    assert re.fullmatch(r"0\.2\.1\.dev1\+g[0-9a-f]{9}", _version.version_of(_version.describe(repository)))


@needs_git
@checkout_only
def test_a_shallow_clone_has_a_version(repository, tmp_path):
    """It has no tag to count from."""
    git(repository, "tag", "v0.2.0")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "two")
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", repository.as_uri(), str(shallow)], check=True)
    version = _version.version_of(_version.describe(shallow))
    assert re.fullmatch(re.escape(_version.NEXT) + r"\.dev0\+g[0-9a-f]{9}", version)


@needs_git
@checkout_only
def test_an_archive_has_the_version_of_its_commit(repository, tmp_path):
    """`git archive`, and what hosts of repositories offer for download."""
    commit = git(repository, "rev-parse", "HEAD")[:9]
    for tag, expected in ((None, commit), ("v0.2.0", "v0.2.0")):
        if tag:
            git(repository, "tag", tag)
        git(repository, "archive", "--output", str(tmp_path / "a.zip"), "HEAD")
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            archive.extractall(tmp_path / str(tag))
        assert _version.describe(tmp_path / str(tag)) == expected


@checkout_only
def test_a_copy_without_git_has_a_version(tmp_path):
    """Nothing to ask; or a git that looks into the repository around the folder, which is another project's."""
    assert _version.describe(tmp_path) == ""
    (tmp_path / ".git_archival.txt").write_text("describe: $Format:%(describe)$\ncommit: $Format:%H$\n")
    assert _version.describe(tmp_path) == ""
    (tmp_path / ".git_archival.txt").write_text("no such thing")
    assert _version.describe(tmp_path) == ""


@checkout_only
def test_importing_asks_no_git():
    """Only who wants the version waits for it."""
    code = "import sys, geoconcept_gis as gc; assert 'subprocess' not in sys.modules; print(gc.__version__)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.strip() == geoconcept_gis.__version__


@checkout_only
def test_every_place_names_the_next_version():
    """The changelog has what comes next on top, released or not."""
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {_version.NEXT}\n" in citation
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] in ("Unreleased", _version.NEXT)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Wheel, sdist, plugin and sums, built from here."""
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("dist")
    return out, release.build(ROOT, out)


@pytest.fixture(scope="module")
def wheel(built):
    [path] = built[0].glob("geoconcept_gis-*.whl")
    return path


@pytest.fixture(scope="module")
def encoders_wheel(built):
    [path] = built[0].glob("geoconcept_gis_encoders-*.whl")
    return path


def test_the_wheels_are_small_enough(built, wheel, encoders_wheel, tmp_path):
    """Under 30 MB, and 40 MB for the encoders; a larger one stops the build."""
    release.check_size(built[0])
    for large, limit in ((wheel, "30,000,000"), (encoders_wheel, "40,000,000")):
        for path in (wheel, encoders_wheel):
            (tmp_path / path.name).write_bytes(b"")
        os.truncate(tmp_path / large.name, int(limit.replace(",", "")))
        with pytest.raises(SystemExit, match=f"{re.escape(large.name)}.* the limit is {limit}"):
            release.check_size(tmp_path)


def test_the_encoders_wheel_is_data_in_step(wheel, encoders_wheel, tmp_path):
    """The same version, needs nothing, holds whole models, and is what the package asks for by name and finds."""
    with zipfile.ZipFile(encoders_wheel) as archive:
        archive.extractall(tmp_path / "site")
        names = archive.namelist()
        [name] = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Version"] == geoconcept_gis.__version__
    assert metadata.get_all("Requires-Dist") is None
    assert [name for name in names if name.endswith("/licenses/NOTICE")]
    assert not [name for name in names if name.endswith("lookup.safetensors")]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        extras = Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist")
    assert "geoconcept-gis-encoders; extra == 'encoders'" in extras
    code = (
        "import geoconcept_gis as gc; from geoconcept_gis.model import bundled_models;"
        "m = [gc.load_model(name) for name in bundled_models()]; print(*(one.folder for one in m))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    found = [Path(folder) for folder in run.stdout.split()]
    assert {path.name for path in found} > {"geoclip"}
    assert all(path.is_relative_to(tmp_path) for path in found)


def test_another_place_gives_the_same_bytes(built, tmp_path):
    """Another folder and umask, wheel and sdist each straight from the files; `make reproducible` does it from git."""
    copy = tmp_path / "deeper" / "copy"
    names = ast.literal_eval(re.search(r"only-include = (\[.*?\n\])", (ROOT / "pyproject.toml").read_text(), re.S)[1])
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            copy.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    shutil.copyfile(ROOT / ".gitignore", copy / ".gitignore")
    # As in an sdist, or the copy would be of another version.
    import build_plugin

    (copy / "geoconcept_gis" / build_plugin.VERSION_FILE).write_bytes(
        build_plugin.version_file(geoconcept_gis.__version__)
    )
    again = release.build(copy, tmp_path / "out", *release.SETTINGS[1])
    release.compare(built[1], again)
    with pytest.raises(SystemExit, match=r"not the same twice: geoconcept\.zip"):
        release.compare(built[1], {**again, "geoconcept.zip": "0"})
    assert release.read_sums(built[0]) == again


def test_a_plain_installation_asks_for_no_torch(wheel):
    """Neither torch nor anything that runs networks; those are extras."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    needed = [one for one in metadata.get_all("Requires-Dist") if "extra ==" not in one]
    assert 10 < len(needed) < 30
    assert not release_trial.heavy_among(re.split(r"[<>=!~ ]", one)[0] for one in needed)
    assert release_trial.heavy_among(["numpy==2.0", "Torch==2.4", "nvidia_cublas==1"]) == ["nvidia-cublas", "torch"]
    assert metadata["Version"] == geoconcept_gis.__version__


def test_the_wheel_works_without_the_checkout(wheel, tmp_path):
    """Its version, its weights by their sha256 and its scores are those of the checkout, bit for bit."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        names = set(archive.namelist())
        assert not [name for name in names if name.startswith(("tests", "tools"))]
        # Each array once: whole, or in planes.
        assert {name for name in names if name.endswith(PLANES)}
        assert not {name for name in names if name + PLANES in names}
    code = (
        "import json, sys, geoconcept_gis as gc; from geoconcept_gis.text.lookup import WordLookup;"
        "m = gc.load_model(); s = m.score([[31.2, 30.0], [-60.0, -3.0]]).astype(float).tolist();"
        "m.image_head; w = gc.concept_from_text('olive groves by the sea').vector.astype(float).tolist();"
        "print(json.dumps([gc.__version__, gc.__file__, s, w, WordLookup.load().sha256,"
        "gc.check_model(m.provenance()).verdict, gc.load_model(m.save(sys.argv[1])).sha256 == m.sha256]))"
    )
    outside = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    results = []
    for number, environment in enumerate((outside, {**os.environ, "PYTHONPATH": str(ROOT)})):
        command = [sys.executable, "-c", code, str(tmp_path / f"saved{number}")]
        run = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
        results.append(json.loads(run.stdout))
    assert Path(results[0].pop(1)).is_relative_to(tmp_path)
    assert Path(results[1].pop(1)).is_relative_to(ROOT)
    assert results[0] == results[1]
    assert results[0][-2:] == ["match", True]


def test_the_wheel_lists_the_works_of_others(wheel):
    """PEP 770; every item of NOTICE that is in the package, and every package that the page is built from."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if "/sboms/" in name]
        sbom = json.loads(archive.read(name))
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["version"]) == ("CycloneDX", geoconcept_gis.__version__)
    notice = (ROOT / "NOTICE").read_text("utf-8")
    inside = {int(item) for item in re.findall(r"^(\d+)\. .*\((?:in the package|geoconcept_gis)", notice, re.MULTILINE)}
    npm = {one["name"] for one in sbom["components"] if one.get("purl", "").startswith("pkg:npm/")}
    assert {item for item, *_ in release_sbom.WORKS} | {9} == inside
    assert {"maplibre-gl", "earcut"} <= npm
    assert "vite" not in npm
    assert all(one["licenses"] for one in sbom["components"])
    model = json.loads((ROOT / "geoconcept_gis/models/geoclip/config.json").read_text("utf-8"))
    listed = {
        file["name"]: file["hashes"][0]["content"] for one in sbom["components"] for file in one.get("components", ())
    }
    assert listed["geoconcept_gis/models/geoclip/location_encoder.safetensors"] in model["files"].values()


def test_the_whole_list_joins_both_halves():
    """What the environment holds, what is inside, and who needs whom."""
    itself = {"type": "library", "name": "geoconcept-gis", "version": "1.0", "bom-ref": "us"}
    numpy = {"type": "library", "name": "numpy", "version": "2.0", "bom-ref": "numpy"}
    environment = {
        "components": [itself, numpy],
        "metadata": {},
        "dependencies": [{"ref": "us", "dependsOn": ["numpy"]}],
    }
    whole = release_sbom.with_environment(environment, ROOT)
    refs = [one["bom-ref"] for one in whole["components"]]
    assert "us" not in refs
    assert len(refs) == len(set(refs)) > 20
    [ours] = [one for one in whole["dependencies"] if one["ref"] == "us"]
    assert set(ours["dependsOn"]) == set(refs)


@pytest.mark.parametrize("workflow", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_actions_are_pinned_to_commits(workflow):
    """A tag can be moved, a commit cannot; the tag stands beside it for people, and dependabot."""
    used = re.findall(r"uses: (.+)", workflow.read_text("utf-8"))
    assert used
    assert not [one for one in used if not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)]
