"""Where a file came from: read back what every product carries, and check that the model is at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from .model import GeoConceptModel

__all__ = ["EMB_KEY", "MANIFEST", "ModelCheck", "check_model", "embedding_record", "read_provenance"]

#: Key beside ``geo`` under which GeoParquet, Zarr and GeoTIFF files describe the embedding.
EMB_KEY = "emb"
#: File that describes a folder of partitions; readers of Parquet folders skip names with a leading underscore.
MANIFEST = "_geoconcept.json"
_PREFIX = "geoconcept_"
#: Width of every vector space that the package knows (docs/architecture.md, encoder kinds).
_DIMENSIONS = 512


def read_provenance(path: str | PathLike[str]) -> dict[str, str]:
    """Return the record of model, concepts and reference that a product of this package carries.

    Parameters
    ----------
    path : path-like
        A GeoTIFF, netCDF, GeoParquet, GeoPackage, GeoJSON or CSV file, a ``.zarr`` store, or a folder of
        `write_partitions`.

    Returns
    -------
    dict of str to str
        Keys as in `GeoConceptModel.provenance`; empty if the file carries none.

    Raises
    ------
    InputError
        No such file, or it cannot be read.

    See Also
    --------
    geoconcept_gis.check_model : Whether the model that made it is at hand.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import concept_map, write_raster
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_raster(egypt, pathlib.Path(folder) / "egypt.tif")
    ...     read_provenance(file)["reference_mean"]
    'uniform_land'
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if path.is_dir():
        return _folder_record(path)
    if suffix not in (".tif", ".tiff", ".nc"):
        from .tables import read_provenance as read_from_table

        return read_from_table(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    return _prefixed(_netcdf_attributes(path) if suffix == ".nc" else _geotiff_tags(path))


class ModelCheck(NamedTuple):
    """Whether the model that made a file is at hand.

    Attributes
    ----------
    verdict : {"match", "other", "missing"}
        ``match``: the encoder's file here has the sha256 in the record, and so has the concept bank where the record
        names one. ``other``: a model of that name is here, but its weights or its bank differ. ``missing``: it is not
        here, or the record names none.
    message : str
        One sentence that says so.
    """

    verdict: str
    message: str


def check_model(
    record: Mapping[str, str] | str | PathLike[str], model: GeoConceptModel | str | PathLike[str] | None = None
) -> ModelCheck:
    """Check whether the model that a file was made with is at hand, by the sha256 of its weights.

    The encoder's file is read and hashed anew, so that weights changed after their installation are found, too.

    Parameters
    ----------
    record : mapping of str to str, or path-like
        From `read_provenance`, or a file to read it from.
    model : GeoConceptModel, str, path-like or None
        What to compare with; None means the bundled model of the record's name.

    Returns
    -------
    ModelCheck

    Raises
    ------
    InputError
        There is no such file, or it cannot be read.
    ModelFileError
        `model` is no model, or the files of the model here are broken.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> check_model(load_model().provenance("BWh", "calibrated")).verdict
    'match'
    >>> check_model({"model": "geoclip", "model_sha256": "0" * 64}).verdict
    'other'
    """
    from .model import as_model, bundled_models
    from .storage import ENCODER_FILE
    from .tensors import content_sha256

    if isinstance(record, str) or hasattr(record, "__fspath__"):
        record = read_provenance(record)
    wanted, name = record.get("model_sha256", ""), record.get("model", "")
    if not wanted:
        return ModelCheck("missing", "the record names no model to compare with")
    if model is None and name not in bundled_models():
        return ModelCheck("missing", f"model {name!r} is not at hand: it is none of the installed models")
    here = as_model(name if model is None else model)
    found = content_sha256(here.folder / ENCODER_FILE)
    if found != wanted:
        return ModelCheck(
            "other", f"model {here.name!r} here has other weights: sha256 {found[:12]}..., the file's {wanted[:12]}..."
        )
    bank = record.get("bank_sha256", here.bank_sha256)
    if bank != here.bank_sha256:
        return ModelCheck(
            "other",
            f"model {here.name!r} here has the same weights but another concept bank: sha256 "
            f"{here.bank_sha256[:12]}..., the file's {bank[:12]}...; embeddings agree, scores may not",
        )
    same = "weights and concept bank" if "bank_sha256" in record else "weights"
    return ModelCheck("match", f"model {here.name!r} here has the same {same}")


def embedding_record(provenance: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what the key ``emb`` of a file says: the fields of the STAC embeddings extension that apply, and ours.

    Parameters
    ----------
    provenance : mapping of str to str
        As `GeoConceptModel.provenance`, with ``features`` for tables.

    Returns
    -------
    dict or None
        None for products that hold neither embeddings nor concept scores.

    Notes
    -----
    The extension (v0.0.1, github.com/geo-embeddings/embeddings-stac-specification) knows ``pixel`` and ``chip``, both
    of imagery. Ours is neither: a vector belongs to a point, and is computed from its coordinates alone. It is written
    as ``pixel``, the nearer of the two, and ``source`` says what it is. ``gsd`` is the distance in metres below which
    the model hardly tells places apart.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> record = embedding_record(load_model().provenance() | {"features": "embedding"})
    >>> record["emb:dimensions"], record["gsd"], record["holds"]
    (512, 5000.0, 'embedding')
    """
    holds = provenance.get("features", "concepts" if "concepts" in provenance else None)
    if holds is None or "model_sha256" not in provenance:
        return None
    return {
        "version": "0.0.1",
        "emb:type": "pixel",
        "emb:dimensions": _DIMENSIONS,
        "data_type": "float32",
        "gsd": 1000.0 * float(provenance["scale_km"].split("-")[0]),
        "emb:fit_for_use": ["classification", "regression", "retrieval"],
        "source": "a function of longitude and latitude alone; no imagery of the place was seen",
        "holds": holds,
        "columns": {"embedding": ["embedding_*"], "concepts": ["concept_*"]}.get(holds, ["concept_*", "embedding_*"]),
        **{key: provenance[key] for key in ("model", "model_sha256", "space")},
    }


def _prefixed(attributes: Mapping[str, Any]) -> dict[str, str]:
    named = {str(key).lower(): str(value) for key, value in attributes.items()}
    return {key.removeprefix(_PREFIX): value for key, value in named.items() if key.startswith(_PREFIX)}


def _folder_record(path: Path) -> dict[str, str]:
    """Return the record of a Zarr store, or of a folder of partitions with how far it has come."""
    for name, reader in (("zarr.json", _zarr_record), (MANIFEST, _partitions_record)):
        if (path / name).is_file():
            try:
                return reader(path, json.loads((path / name).read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(f"cannot read {path / name}: {error}") from None
    raise InputError(f"{path} is a folder without {MANIFEST} or zarr.json: nothing that this package wrote")


def _zarr_record(path: Path, group: dict[str, Any]) -> dict[str, str]:
    return _prefixed(group.get("attributes", {}))


def _partitions_record(path: Path, manifest: dict[str, Any]) -> dict[str, str]:
    from .scale.partitions import finished

    done, total = len(finished(path)), manifest["settings"]["partitions"]
    return {**manifest["provenance"], "partitions": f"{done:,} of {total:,} finished"}


def _geotiff_tags(path: Path) -> dict[str, str]:
    import rasterio

    try:
        with rasterio.open(path) as raster:
            return dict(raster.tags())
    except rasterio.errors.RasterioIOError as error:
        raise InputError(f"cannot read {path}: {error}") from None


def _netcdf_attributes(path: Path) -> dict[str, str]:
    import xarray as xr

    try:
        with xr.open_dataset(path) as dataset:
            return {str(key): str(value) for key, value in dataset.attrs.items()}
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
