"""Model folders and concept banks on disk: safetensors for arrays, JSON for everything else.

No pickle, no code, no download. Every array file is checked against the sha256 that its JSON names.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .concepts import Concept, ConceptBank, PlaceHead
from .concepts.concept import DIM, PERCENTILES
from .errors import ConceptError, ModelFileError
from .files import atomic_file, sha256_of
from .tensors import read_tensors, tensors_bytes

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

__all__ = [
    "CONFIG",
    "ENCODER_FILE",
    "FORMAT_VERSION",
    "HEAD_FILE",
    "MODEL_FORMAT",
    "OUR_ENCODERS",
    "PHOTOS_FILE",
    "bank_content",
    "installed_models",
    "read_arrays",
    "read_bank",
    "read_config",
    "write_arrays",
    "write_bank",
    "write_json",
]

FORMAT_VERSION = 1
CONFIG = "config.json"
ENCODER_FILE = "location_encoder.safetensors"
HEAD_FILE = "image_head.safetensors"
#: Mean unit vectors of photos, and of texts, in the model's space; a model need not have it.
PHOTOS_FILE = "photos.safetensors"
BANK_JSON = "concepts.json"
BANK_ARRAYS = "concepts.safetensors"
MODEL_FORMAT = "geoconcept-model"
BANK_FORMAT = "geoconcept-bank"
#: Models of a distribution of their own, geoconcept-gis-encoders, and the package it installs.
OUR_ENCODERS = ("geoconcept-base", "geoconcept-small")
_ENCODERS_PACKAGE = "geoconcept_gis_encoders"


def installed_models() -> dict[str, Path]:
    """Return the folder of every model that is installed, by name: in the package, and in geoconcept-gis-encoders.

    Returns
    -------
    dict of str to pathlib.Path

    Examples
    --------
    >>> installed_models()["geoclip"].name
    'geoclip'
    """
    homes = [Path(__file__).parent]
    spec = importlib.util.find_spec(_ENCODERS_PACKAGE)  # found, not run: these are data
    if spec is not None:
        homes += map(Path, spec.submodule_search_locations or ())
    return {path.parent.name: path.parent for home in homes for path in sorted(home.glob(f"models/*/{CONFIG}"))}


def read_arrays(path: Path, sha256: str | None = None) -> dict[str, NDArray[Any]]:
    """Read a safetensors file.

    Parameters
    ----------
    path : pathlib.Path
    sha256 : str, optional
        Refuse the file unless its bytes have this hash.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ModelFileError
        Missing, truncated, corrupt, or not the file that was promised.
    """
    return read_tensors(path, sha256)[0]


def write_arrays(arrays: dict[str, NDArray[Any]], path: Path) -> str:
    """Write a safetensors file and return its sha256."""
    with atomic_file(path) as part:
        part.write_bytes(tensors_bytes(arrays))
    return sha256_of(path)


def write_json(record: dict[str, Any], path: Path) -> None:
    """Write JSON that diffs well: indented, keys in the order given, numbers finite."""
    with atomic_file(path) as part:
        part.write_bytes(_json(record))


def _json(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _read_json(path: Path, kind: str) -> dict[str, Any]:
    """Read JSON and check that it is a file of ours that this version understands."""
    if not path.is_file():
        raise ModelFileError(f"{path} is missing: {path.parent} is no {kind} folder")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(record, dict) or record.get("format") != kind:
        found = record.get("format") if isinstance(record, dict) else type(record).__name__
        raise ModelFileError(f"{path} is not a {kind} file (format: {found!r})")
    version = record.get("format_version")
    if not isinstance(version, int) or not 1 <= version <= FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format_version {version!r}; this geoconcept_gis reads 1 to {FORMAT_VERSION}: upgrade it"
        )
    return record


def read_config(folder: Path) -> dict[str, Any]:
    """Read and check a model folder's ``config.json``.

    Raises
    ------
    ModelFileError
        Missing, malformed, of another format or version, or a field is absent.
    """
    config = _read_json(folder / CONFIG, MODEL_FORMAT)
    for key, kind in (("name", str), ("space", str), ("files", dict), ("scale_km", list)):
        if not isinstance(config.get(key), kind):
            raise ModelFileError(f"{folder / CONFIG}: field {key!r} is missing or no {kind.__name__}")
    config["files"] = {name: _ungrouped(value) for name, value in config["files"].items()}
    for name in {ENCODER_FILE, HEAD_FILE, *config["files"]}:
        if not re.fullmatch(r"[0-9a-f]{64}", str(config["files"].get(name))):
            raise ModelFileError(f"{folder / CONFIG}: files[{name!r}] must be a sha256")
    for key, needed in _RECORDS.items():
        if key in config:
            _check_record(config[key], needed, f"{folder / CONFIG}: field {key!r}")
    return config


def _ungrouped(sha256: Any) -> Any:
    """Return a hash without the spaces that may stand between its groups, as in the QGIS plugin's files."""
    return sha256.replace(" ", "") if isinstance(sha256, str) else sha256


#: Fields of a config that may be absent, and what each must hold.
_RECORDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "encoder": {"kind": str},
    "image": {"tower": str, "dim": int},
    "calibration": {"temperature": (int, float), "floor": (int, float)},
}


def _check_record(record: Any, needed: dict[str, type | tuple[type, ...]], where: str) -> None:
    if not isinstance(record, dict):
        raise ModelFileError(f"{where} must be an object; got {type(record).__name__}")
    for key, kind in needed.items():
        if not isinstance(record.get(key), kind):
            raise ModelFileError(f"{where}: {key!r} is missing or of the wrong type; got {record.get(key)!r}")
    if "temperature" in needed:
        if not (record["temperature"] > 0 and 0 <= record["floor"] < 1):
            raise ModelFileError(f"{where}: temperature must be above 0 and floor 0 to 1; got {record}")
        if "text" in record:  # texts may have one of their own
            _check_record(record["text"], needed, f"{where}, 'text'")


def write_bank(bank: ConceptBank, folder: str | PathLike[str]) -> Path:
    """Write a bank as ``concepts.safetensors`` and ``concepts.json``; see `ConceptBank.save`."""
    folder = Path(folder)
    content = bank_content(bank)  # before the folder is made: a bank that cannot be written leaves none
    folder.mkdir(parents=True, exist_ok=True)
    for name in (BANK_ARRAYS, BANK_JSON):
        with atomic_file(folder / name) as part:
            part.write_bytes(content[name])
    return folder


def bank_content(bank: ConceptBank) -> dict[str, bytes]:
    """Return the two files of a bank by name, byte for byte as `write_bank` writes them."""
    concepts = list(bank)
    nothing = np.full(PERCENTILES.shape, np.nan, dtype=np.float32)
    blank = np.full(DIM, np.nan, dtype=np.float32)
    arrays: dict[str, NDArray[Any]] = {f"reference.{name}": mean for name, mean in bank.references.items()}
    arrays["vectors"] = np.array([c.vector for c in concepts], dtype=np.float32).reshape(-1, DIM)
    arrays["percentiles"] = np.array(
        [nothing if c.percentiles is None else c.percentiles for c in concepts], dtype=np.float32
    ).reshape(-1, len(PERCENTILES))
    arrays["patterns"] = np.array(
        [blank if c.pattern is None else c.pattern for c in concepts], dtype=np.float16
    ).reshape(-1, DIM)
    heads = [c.head for c in concepts if c.head]
    if heads:
        arrays["heads.weight"] = np.array([head.weight for head in heads], dtype=np.float16)
        arrays["heads.bias"] = np.array([head.bias for head in heads], dtype=np.float32)
        arrays["heads.percentiles"] = np.array([head.percentiles for head in heads], dtype=np.float32)
    content = tensors_bytes(arrays)
    record = {
        "format": BANK_FORMAT,
        "format_version": FORMAT_VERSION,
        "space": bank.space,
        "arrays_sha256": hashlib.sha256(content).hexdigest(),
        "references": sorted(bank.references),
        "concepts": [concept.record() for concept in concepts],
    }
    return {BANK_ARRAYS: content, BANK_JSON: _json(record)}


def read_bank(folder: str | PathLike[str]) -> ConceptBank:
    """Read a bank from a folder; see `ConceptBank.load`."""
    folder = Path(folder)
    record = _read_json(folder / BANK_JSON, BANK_FORMAT)
    try:
        records, names = list(record["concepts"]), list(record["references"])
        space, sha256 = str(record["space"]), str(_ungrouped(record["arrays_sha256"]))
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{folder / BANK_JSON} is malformed: {error!r}") from None
    arrays = read_arrays(folder / BANK_ARRAYS, sha256)
    widths = {"vectors": DIM, "percentiles": len(PERCENTILES), "patterns": DIM}
    for key, width in widths.items():
        if key not in arrays or arrays[key].shape != (len(records), width):
            raise ModelFileError(f"{folder / BANK_ARRAYS} does not hold {len(records)} {key} of {width} numbers")
    try:
        heads = _read_heads(records, arrays)
        concepts = [
            Concept.from_record(
                item,
                head=heads.get(k),
                vector=arrays["vectors"][k],
                percentiles=_present(arrays["percentiles"][k]),
                pattern=_present(arrays["patterns"][k].astype(np.float32)),
                space=space,
            )
            for k, item in enumerate(records)
        ]
        return ConceptBank(concepts, {name: arrays[f"reference.{name}"] for name in names}, space=space)
    except (ConceptError, KeyError, TypeError, IndexError) as error:
        raise ModelFileError(f"{folder / BANK_JSON}: {error}") from None


def _read_heads(records: list[dict[str, Any]], arrays: dict[str, NDArray[Any]]) -> dict[int, PlaceHead]:
    """Return the head of each concept that has one, by its row."""
    rows = [k for k, item in enumerate(records) if "head" in item]
    if not rows:
        return {}
    parts = [arrays[f"heads.{name}"] for name in ("weight", "bias", "percentiles")]
    if {len(part) for part in parts} != {len(rows)}:
        raise ConceptError(f"{len(rows)} concepts have a head, the arrays hold {[len(part) for part in parts]}")
    return {k: PlaceHead.from_record(records[k]["head"], *row) for k, row in zip(rows, zip(*parts))}


def _present(row: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return a stored row, or None where NaN stands for none."""
    return None if np.isnan(row).any() else row
