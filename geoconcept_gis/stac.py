"""STAC items for products: what a catalogue needs to find them, with the embeddings extension."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError
from .files import atomic_file
from .provenance import MANIFEST, embedding_record, read_provenance

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["stac_item", "write_stac"]

Bounds = tuple[float, float, float, float]

_EXTENSIONS = (
    "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json",
    "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
)
_PARQUET = "application/vnd.apache.parquet"
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
_ZARR = "application/vnd.zarr; version=3"
#: Left out of the item: 2 kB of numbers that the file itself holds.
_LONG = "reference_mean_f32_base64"
#: Points along each side of a box, whose corners alone would not bound it in degrees.
_SIDE = 21


def stac_item(path: str | PathLike[str]) -> dict[str, Any]:
    """Describe a product as a STAC item.

    Parameters
    ----------
    path : path-like
        A GeoParquet file, a Cloud Optimized GeoTIFF, a ``.zarr`` store or a folder of `write_partitions`, with our
        provenance.

    Returns
    -------
    dict
        A STAC 1.0.0 item with the extensions embeddings (v0.0.1, a proposal) and processing: extent in EPSG:4326, the
        asset ``embeddings`` with a relative link, the provenance as ``emb:runtime_parameters``.

    Raises
    ------
    InputError
        Another kind of file, one without provenance or extent, or unreadable.

    Notes
    -----
    `datetime` and ``processing:datetime`` are when the file was written: the model is a function of place and knows
    no time. The extension allows ``emb:type`` and ``emb:dimensions`` in collections only; ``emb:runtime_parameters``
    holds them here.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import embed, world_places, write_places
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_places(embed(world_places(), features="embedding"), pathlib.Path(folder) / "towns.parquet")
    ...     item = stac_item(file)
    >>> item["assets"]["embeddings"]["href"], item["properties"]["emb:runtime_parameters"]["emb:dimensions"]
    ('./towns.parquet', 512)
    """
    path = Path(path)
    record = read_provenance(path)
    emb = embedding_record(record)
    if emb is None:
        raise InputError(f"{path} carries no record of embeddings or concept scores to describe")
    kind, bounds = _kind_and_bounds(path)
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    software, _, version = record["software"].partition(" ")
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": list(_EXTENSIONS),
        "id": path.stem,
        **_extent(bounds),
        "properties": {
            "title": f"{'Embeddings' if emb['holds'] == 'embedding' else 'Concept scores'} of places: {path.name}",
            "description": f"Associated with places, not observed there: {emb['source']}.",
            "datetime": written,
            "processing:datetime": written,
            "processing:software": {software: version},
            "license": record.get("licence") or "other",
            "gsd": emb["gsd"],
            "emb:fit_for_use": emb["emb:fit_for_use"],
            "emb:runtime_parameters": {
                **{key: emb[key] for key in ("emb:type", "emb:dimensions", "data_type", "source", "holds")},
                **{key: value for key, value in record.items() if key != _LONG},
            },
        },
        "links": [],
        "assets": {"embeddings": {"href": f"./{path.name}", "type": kind, "roles": ["data"], "title": path.name}},
    }


def write_stac(path: str | PathLike[str]) -> Path:
    """Write the STAC item of a product beside it.

    Parameters
    ----------
    path : path-like
        As in `stac_item`.

    Returns
    -------
    pathlib.Path
        ``<name>.stac.json``, in the product's folder; a file of that name is replaced.

    Raises
    ------
    InputError
        As in `stac_item`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import concept_map, write_raster
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_stac(write_raster(egypt, pathlib.Path(folder) / "egypt.tif")).name
    'egypt.tif.stac.json'
    """
    path = Path(path).resolve()
    item = stac_item(path)
    target = path.with_name(f"{path.name}.stac.json")
    with atomic_file(target) as part:
        part.write_text(json.dumps(item, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return target


def _kind_and_bounds(path: Path) -> tuple[str, Bounds]:
    """Return the media type, and the bounds in EPSG:4326; east may run on past 180."""
    if (path / MANIFEST).is_file():
        return _PARQUET, _partition_bounds(path)
    if (path / "zarr.json").is_file():
        attributes = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        return _ZARR, _in_degrees(attributes["spatial:bbox"], attributes.get("proj:code") or attributes["proj:wkt2"])
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        import rasterio

        with rasterio.open(path) as raster:
            return _COG, _in_degrees(raster.bounds, raster.crs.to_wkt())
    if suffix in (".parquet", ".geoparquet"):
        return _PARQUET, _parquet_bounds(path)
    raise InputError(f"a STAC item needs GeoParquet, GeoTIFF, Zarr or a folder of partitions; got {path.name!r}")


def _parquet_bounds(path: Path) -> Bounds:
    """Return the bounds of a file from the statistics of its ``bbox`` column, without reading rows."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    geo = json.loads((metadata.metadata or {}).get(b"geo", b"{}"))
    if not geo:
        raise InputError(f"{path} has no geometry, so no extent: write it with one")
    sides: dict[str, list[float]] = {}
    for group in (metadata.row_group(k) for k in range(metadata.num_row_groups)):
        for column in (group.column(k) for k in range(group.num_columns)):
            found = column.statistics
            if column.path_in_schema.startswith("bbox.") and found is not None and found.has_min_max:
                side = column.path_in_schema.removeprefix("bbox.")
                sides.setdefault(side, []).append(found.min if side.endswith("min") else found.max)
    if not sides:
        raise InputError(f"{path} has no place, so no extent")
    low = [min(sides["xmin"]), min(sides["ymin"])]
    return _in_degrees([*low, max(sides["xmax"]), max(sides["ymax"])], geo["columns"][geo["primary_column"]]["crs"])


def _partition_bounds(path: Path) -> Bounds:
    from .scale.partitions import finished

    boxes = [record["bounds"] for record in finished(path).values() if record["bounds"]]
    if not boxes:
        raise InputError(f"{path} has no finished partition with places, so no extent")
    crs = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["settings"]["crs"]
    low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
    return _in_degrees([*low[:2], *high[2:]], crs)


def _in_degrees(bounds: Any, crs: Any) -> Bounds:
    """Return bounds in EPSG:4326; east runs on past 180 where they cross the antimeridian."""
    import pyproj

    left, bottom, right, top = (float(side) for side in bounds)
    crs = pyproj.CRS.from_user_input(crs)
    if crs.is_geographic:
        return left, max(bottom, -90.0), right, min(top, 90.0)
    transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    west, south, east, north = transformer.transform_bounds(left, bottom, right, top, densify_pts=_SIDE)
    if not np.isfinite([west, south, east, north]).all():
        raise InputError(f"the extent {bounds} in {crs.name!r} reaches beyond the Earth, and has no bounds in degrees")
    return west, south, east + (360.0 if west > east else 0.0), north


def _extent(bounds: Bounds) -> dict[str, Any]:
    """Return ``bbox`` and ``geometry`` as GeoJSON has them: west > east, and two parts, across the antimeridian."""
    import shapely

    from .geometry import clip_to_world

    west, south, east, north = (round(side, 6) for side in bounds)
    box = shapely.box(west, south, max(east, west + 1e-6), max(north, south + 1e-6))
    around = east - west >= 360.0
    inside = [
        -180.0 if around else west if west <= 180.0 else west - 360.0,
        south,
        180.0 if around else east if east <= 180.0 else east - 360.0,
        north,
    ]
    return {"bbox": inside, "geometry": shapely.geometry.mapping(clip_to_world(box))}
