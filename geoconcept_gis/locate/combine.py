"""Several geolocations, and what an analyst knows beside them, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .geolocation import Geolocation
from .priors import cell_means, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["combine"]


def combine(parts: Sequence[Any], *, name: str | None = None) -> Geolocation:
    """Combine geolocations of one place, and rasters of what is known of it, into one geolocation.

    Parameters
    ----------
    parts : sequence of Geolocation, path or DataArray
        At least one geolocation; all on the same cells and with the same prior. Rasters have one band and a CRS: how
        many times likelier each place is, such as 1 on cropland and 0 elsewhere, or a density. Only their ratios
        count; negative and empty cells count as zero, and zero rules a place out.
    name : str, optional
        Default: the names of the parts.

    Returns
    -------
    Geolocation
        Without the photos' vectors and EXIF positions, so without `concepts`, and its points are centres of cells.

    Raises
    ------
    InputError
        No geolocation, other cells, another or an unknown prior, a raster that cannot be read, or nothing is left.

    Notes
    -----
    Each geolocation i says ``P_i(cell) = prior(cell) L_i(cell)`` up to a constant, where L_i is what the photo says.
    With n geolocations and rasters R_j, averaged over each cell,

        P(cell)  ~  prior L_1 ... L_n R_1 ... R_m  =  P_1 ... P_n R_1 ... R_m / prior^(n - 1)

    so a prior that all share counts once. The photos must show one place and have nothing else in common: ten frames
    of one video are hardly more than one, and their product claims far too much.

    References
    ----------
    Multiplying by maps of land cover and population follows the search problem of Recall vs Area, arXiv 2407.13862.

    Examples
    --------
    >>> found = geolocate(["gate.jpg", "street.jpg"])                       # doctest: +SKIP
    >>> combine([*found, "cropland_share.tif"], name="farm").points         # doctest: +SKIP
    """
    located = [part for part in parts if isinstance(part, Geolocation)]
    rasters = [part for part in parts if not isinstance(part, Geolocation)]
    if not located:
        raise InputError("there is no geolocation among the parts: put in what geolocate returned")
    first = located[0]
    for other in located[1:]:
        _check_alike(first, other)
    with np.errstate(divide="ignore"):
        log = np.sum([np.log(one.probability) for one in located], axis=0)
        if len(located) > 1 and first.prior is not None:
            log = log - (len(located) - 1) * np.where(first.prior > 0.0, np.log(first.prior), np.inf)
        for raster in rasters:
            log = log + np.log(cell_means(raster, first.cells))
    if not np.isfinite(log).any():
        raise InputError("nothing is left: the parts rule one another out everywhere")
    weight = np.exp(log - log.max())
    return Geolocation(
        name or "; ".join([*(one.name for one in located), *map(name_of, rasters)]),
        first.cells,
        first.lonlat,
        first.area_km2,
        weight / weight.sum(),
        None if first.prior is None else first.prior.copy(),
        {**_shared(located), "combined": f"{len(located)} geolocations, {len(rasters)} rasters"}
        | ({"rasters": "; ".join(map(name_of, rasters))} if rasters else {}),
    )


def _check_alike(first: Geolocation, other: Geolocation) -> None:
    if not np.array_equal(first.cells, other.cells):
        raise InputError(
            f"{first.name!r} and {other.name!r} are not on the same cells: coarsen both to the same precision_km, or "
            "neither, and locate them with the same model"
        )
    if first.prior is None or other.prior is None:
        raise InputError("the prior of a geolocation is not known, so it would count twice: locate the photos anew")
    if not np.allclose(first.prior, other.prior, rtol=1e-6, atol=0.0):
        names = " and ".join(repr(one.provenance.get("prior", "?")) for one in (first, other))
        raise InputError(
            f"{first.name!r} and {other.name!r} have different priors ({names}): locate both with the same one, and "
            "give what else you know as a raster"
        )


def _shared(located: Sequence[Geolocation]) -> dict[str, str]:
    """Return the provenance that all have, with all values of what differs."""
    keys = [key for key in located[0].provenance if all(key in one.provenance for one in located)]
    return {key: "; ".join(dict.fromkeys(one.provenance[key] for one in located)) for key in keys}
