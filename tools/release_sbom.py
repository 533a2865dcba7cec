"""Write what a release is made of as CycloneDX JSON: the works of others inside the wheel, and the packages it needs.

    python tools/release_sbom.py ENVIRONMENT.json OUT.json

ENVIRONMENT.json comes from `cyclonedx-py environment` on an environment where the wheel alone was installed; `make
sbom` does both and checks the result against the schema. The first half alone is what a wheel carries (PEP 770):
hatch_build.py asks for it, so that half needs nothing but Python and gives the same bytes for the same files.
"""

import argparse
import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
NAME = "geoconcept-gis"
SBOM_NAME = f"{NAME}.cdx.json"
_PAGE = "explore/page/assets"
#: Works of others inside the package: item of NOTICE, kind, name, version, licences, copyright, files.
WORKS = (
    (1, "machine-learning-model", "GeoCLIP weights", "1.3.0", ["MIT"], "Copyright (c) 2024 Vicente Vivanco",
     ["models/geoclip/location_encoder.safetensors", "models/geoclip/image_head.safetensors"]),
    (1, "data", "GeoCLIP gallery of places", "1.3.0", ["MIT"], "Copyright (c) 2024 Vicente Vivanco",
     ["data/photo_places.safetensors"]),
    (2, "data", "Natural Earth land 1:50m, by way of world-atlas", "2.0.2", ["ISC"], "Copyright Michael Bostock",
     ["data/land_50m.parquet", "data/land_mask.safetensors"]),
    (3, "data", "GeoNames cities and population", None, ["CC-BY-4.0"], "GeoNames, www.geonames.org",
     ["data/world_places.csv", "data/population.safetensors"]),
    (5, "data", "ColorBrewer colours", None, ["Apache-2.0"],
     "Copyright (c) 2002 Cynthia Brewer, Mark Harrower, and The Pennsylvania State University", ["style.py"]),
    (7, "machine-learning-model", "Linear map of the weak image tower", None, ["MIT"], None,
     ["towers/weak_head.safetensors"]),
    (8, "machine-learning-model", "Text tower", None, ["MIT", "CC-BY-4.0"], "GeoNames, www.geonames.org, and others",
     ["text/adapter.safetensors"]),
)  # fmt: skip


def bundled(root, version):
    """Return the CycloneDX record of the works of others inside the wheel of this version."""
    works = [_work(root, *one) for one in WORKS]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _itself(version)},
        "components": works + _npm(root),
        "dependencies": [],
    }


def _itself(version):
    purl = f"pkg:pypi/{NAME}@{quote(version)}"
    return {"type": "library", "bom-ref": purl, "name": NAME, "version": version, "purl": purl,
            "licenses": [{"license": {"id": "MIT"}}]}  # fmt: skip


def _work(root, item, kind, name, version, licences, copyright_, files):
    record = {"type": kind, "bom-ref": f"{item} {name}", "name": name}
    if version:
        record["version"] = version
    if copyright_:
        record["copyright"] = copyright_
    record["licenses"] = [{"license": {"id": one}} for one in licences]
    record["properties"] = [{"name": f"{NAME}:notice", "value": f"item {item} of NOTICE"}]
    record["components"] = [_file(root / "geoconcept_gis" / file, file) for file in files]
    return record


def _file(path, name):
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"type": "file", "name": f"geoconcept_gis/{name}", "hashes": [{"alg": "SHA-256", "content": sha256}]}


def _npm(root):
    """Return the packages that the explorer's page is built from, as its lock file pins them."""
    packages = json.loads((root / "explorer" / "package-lock.json").read_text("utf-8"))["packages"]
    found = []
    for path, one in sorted(packages.items()):
        if not path or one.get("dev"):
            continue
        name = path.rpartition("node_modules/")[2]
        group, _, short = name.rpartition("/")
        purl = f"pkg:npm/{quote(group, safe='') + '/' if group else ''}{short}@{one['version']}"
        record = {"type": "library", "bom-ref": purl}
        if group:
            record["group"] = group
        algorithm, _, digest = one["integrity"].partition("-")
        found.append(
            {
                **record,
                "name": short,
                "version": one["version"],
                "purl": purl,
                "licenses": [_licence(one["license"])],
                "hashes": [{"alg": algorithm.replace("sha", "SHA-"), "content": base64.b64decode(digest).hex()}],
                "properties": [{"name": f"{NAME}:built-into", "value": f"geoconcept_gis/{_PAGE}"}],
            }
        )
    return found


def _licence(spdx):
    return {"expression": spdx.strip("()")} if " " in spdx else {"license": {"id": spdx}}


def with_environment(environment, root):
    """Return one record: the packages of an environment with the wheel in it, and the works inside the wheel."""
    [itself] = [one for one in environment["components"] if one["name"] == NAME]
    others = [one for one in environment["components"] if one is not itself]
    inside = bundled(root, itself["version"])["components"]
    dependencies = environment["dependencies"] + [{"ref": one["bom-ref"]} for one in inside]
    for one in dependencies:
        if one["ref"] == itself["bom-ref"]:
            one["dependsOn"] = sorted([*one.get("dependsOn", []), *(part["bom-ref"] for part in inside)])
    metadata = {**environment["metadata"], "component": itself}
    return {**environment, "metadata": metadata, "components": others + inside, "dependencies": dependencies}


def main():
    """Join, check against the schema, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environment", type=Path, help="from `cyclonedx-py environment`")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    whole = with_environment(json.loads(arguments.environment.read_text("utf-8")), ROOT)
    content = json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    check(content)
    arguments.out.write_text(content, "utf-8")
    print(f"{arguments.out}: {len(whole['components'])} components, valid CycloneDX {whole['specVersion']}")


def check(content):
    """Stop unless the text is valid CycloneDX of its version."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    version = SchemaVersion.from_version(json.loads(content)["specVersion"])
    if error := JsonStrictValidator(version).validate_str(content):
        raise SystemExit(f"no valid CycloneDX: {error}")


if __name__ == "__main__":
    main()
