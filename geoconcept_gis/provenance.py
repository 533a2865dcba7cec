"""Where a file came from: read back what every product carries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["read_provenance"]

_PREFIX = "geoconcept_"


def read_provenance(path: str | PathLike[str]) -> dict[str, str]:
    """Return the record of model, concepts and reference that a product of this package carries.

    Parameters
    ----------
    path : path-like
        A GeoTIFF, netCDF, GeoParquet, GeoPackage, GeoJSON or CSV file.

    Returns
    -------
    dict of str to str
        Keys as in `GeoConceptModel.provenance`; empty if the file carries none.

    Raises
    ------
    InputError
        No such file, or it cannot be read.

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
    if suffix not in (".tif", ".tiff", ".nc"):
        from .tables import read_provenance as read_from_table

        return read_from_table(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    attributes = _netcdf_attributes(path) if suffix == ".nc" else _geotiff_tags(path)
    named = {str(key).lower(): str(value) for key, value in attributes.items()}
    return {key.removeprefix(_PREFIX): value for key, value in named.items() if key.startswith(_PREFIX)}


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
