"""Where else is like here: a map of likeness to some seed places, and the concepts that carry it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .concepts import Concept
from .concepts.decompose import DEFAULT_L1, atoms_of, centre, decompose
from .explanation import cosine_of, show, weights_table
from .model import as_model
from .place_vectors import gather, reference_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from .concepts.bank import ConceptLike
    from .model import GeoConceptModel
    from .place_vectors import PlaceGroup
    from .progress import Progress

__all__ = ["DISAGREE", "Similarity", "shared_direction", "similar_places"]

#: Below this mean cosine the seeds have so little in common that their mean stands for none of them.
DISAGREE = 0.1


@dataclass(frozen=True, eq=False)
class Similarity:
    """Where places are like the seeds, and in what. Made by `similar_places`.

    Attributes
    ----------
    map : xarray.Dataset
        One float32 variable ``similarity``, -1 to 1: centred cosine with the seeds' shared direction. A concept map:
        `write_raster`, `plot_concept_map` and `save_concept_map` take it.
    concepts : pandas.DataFrame
        What carries the likeness: the seeds' shared direction as a sparse, non-negative sum. ``concept``, ``family``,
        ``weight``, ``share`` (of all weights), ``percentile`` and ``calibrated`` (means over the seeds), ``grade``.
    agreement : float
        Mean centred cosine between pairs of seeds; 0 for places at random, NaN for one seed.
    residual : float
        Share of the shared direction that the sum of concepts leaves untold.
    seeds : str
        How many, or where.
    provenance : dict of str to str
        As in the map's attributes, without their prefix.
    """

    map: xr.Dataset
    concepts: pd.DataFrame
    agreement: float
    residual: float
    seeds: str
    provenance: dict[str, str]

    def __str__(self) -> str:
        height, width = self.map["similarity"].shape
        agree = "" if np.isnan(self.agreement) else f" The seeds agree at a mean cosine of {self.agreement:.2f}."
        return (
            f"Likeness to {self.seeds}, {height} x {width} cells.{agree}\n\n{show(self.concepts)}\n\n"
            f"These concepts leave {self.residual:.0%} of what the seeds share untold. "
            "Associated with, not observed there."
        )

    __repr__ = __str__


def similar_places(
    seeds: Any,
    bounds: Iterable[float] | None = None,
    *,
    resolution: float | tuple[float, float] | None = None,
    shape: tuple[int, int] | None = None,
    crs: Any = "EPSG:4326",
    mask: str | None = "land",
    model: GeoConceptModel | str | PathLike[str] | None = None,
    concepts: ConceptLike | Iterable[ConceptLike] | None = None,
    l1: float = DEFAULT_L1,
    progress: Progress | None = None,
) -> Similarity:
    """Map how much places are like some seed places, and say in what.

    Parameters
    ----------
    seeds : (lon, lat), shapely geometry, GeoSeries, GeoDataFrame or ndarray
        One place or several, as `explain` takes them: (lon, lat) in degrees, EPSG:4326, or a table with a CRS, or raw
        embeddings. What they share is sought, so choose seeds that have something in common.
    bounds : (left, bottom, right, top), optional
        As in `concept_map`: in units of `crs`; None means the whole world.
    resolution : float or (float, float), optional
        Cell size in units of `crs`.
    shape : (int, int), optional
        (height, width) in cells. Give exactly one of `resolution` and `shape`.
    crs : str, int or CRS, default "EPSG:4326"
        Of the map.
    mask : {"land", None}, default "land"
        ``"land"`` scores only cells whose centre is on land.
    model : GeoConceptModel, str, path-like or None
        None is the bundled default, loaded once per process.
    concepts : str, Concept, iterable of either, or None
        To explain the likeness with; None means all but those of grade D. The map does not depend on them.
    l1 : float
        Price of a concept; more gives fewer.
    progress : callable, optional
        Called as ``progress(done, total)`` in cells; return true to cancel.

    Returns
    -------
    Similarity

    Raises
    ------
    InputError
        `seeds` is none of these, or bounds, resolution, shape, CRS or mask make no map.
    CoordinateError
        A seed is not on Earth; rows are named.
    ConceptError
        A concept is unknown.
    Cancelled
        `progress` asked to stop.

    Warns
    -----
    UserWarning
        The seeds have little in common.
    SeamWarning
        Seeds lie within 0.5 degree of the antimeridian or a pole, where the encoder is discontinuous.

    Notes
    -----
    Each seed's unit vector u is centred, ``z = (u - m) / |u - m|`` with m the mean of ``uniform_land``. The shared
    direction is the mean of the z, scaled to length one; a cell's similarity is its own z times that. So 0 is the
    average place on land, and near the seeds themselves the map is high for no better reason than that they are near.

    Examples
    --------
    >>> oases = [(31.2, 30.0), (25.5, 29.2)]
    >>> alike = similar_places(oases, bounds=(-20, 10, 60, 40), resolution=5, concepts=["BWh", "Cfb"])
    >>> alike.concepts["concept"].iloc[0], dict(alike.map.sizes)
    ('hot desert climate', {'lat': 6, 'lon': 16})
    """
    from .maps import concept_map

    model = as_model(model)
    chosen = model.select(concepts)
    group = gather(seeds, model, chosen, argument="seeds")
    likeness, agreement = shared_direction(group, model)
    if agreement < DISAGREE:
        warnings.warn(
            f"the {len(group):,} seeds have little in common (mean centred cosine {agreement:.2f}, "
            "0 for places at random): their mean may stand for none of them; try fewer, or a map for each kind",
            stacklevel=2,
        )
    dataset = concept_map(
        likeness,
        bounds,
        resolution=resolution,
        shape=shape,
        crs=crs,
        mask=mask,
        model=model,
        kind="cosine",
        progress=progress,
    ).rename({likeness.variable: "similarity"})
    dataset["similarity"].attrs["long_name"] = likeness.name
    dataset.attrs |= {
        "title": f"Similarity map: {likeness.name}",
        "geoconcept_seeds": str(len(group)),
        "geoconcept_seed_positions": group.positions(),
    }
    table, residual = _carriers(likeness, group, chosen, l1)
    return Similarity(
        map=dataset,
        concepts=table,
        agreement=agreement,
        residual=residual,
        seeds=group.label,
        provenance={
            key.removeprefix("geoconcept_"): value for key, value in dataset.attrs.items() if "geoconcept_" in key
        },
    )


def shared_direction(group: PlaceGroup, model: GeoConceptModel) -> tuple[Concept, float]:
    """Return what seeds have in common, as a concept, and how far they agree. Runs on numpy alone.

    Parameters
    ----------
    group : PlaceGroup
        The seeds.
    model : GeoConceptModel

    Returns
    -------
    concept : Concept
        Of family ``"similarity"``, for ``kind="cosine"``; centred on the set that maps are centred on.
    agreement : float
        Mean centred cosine between pairs of seeds; NaN for one seed. Below `DISAGREE` they share next to nothing.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> from geoconcept_gis.place_vectors import gather
    >>> model = load_model()
    >>> concept, agreement = shared_direction(gather([(31.2, 30.0), (25.5, 29.2)], model, []), model)
    >>> concept.name, agreement > DISAGREE
    ('similar to 2 seeds', True)
    """
    reference, mean = reference_mean(model)
    centred = centre(group.units, mean)
    shared = centre(centred.mean(axis=0)[None], np.zeros(len(mean)))
    concept = Concept(
        f"similar to {len(group):,} seed{'' if len(group) == 1 else 's'}",
        shared[0].astype(np.float32),
        space=model.space,
        family="similarity",
        description=f"Centred cosine with what the seeds share: {group.label}.",
        reference=reference,
        scale_km=model.scale_km,
    )
    return concept, _agreement(centred)


def _carriers(likeness: Concept, group: PlaceGroup, chosen: Sequence[Concept], l1: float) -> tuple[pd.DataFrame, float]:
    """Decompose the shared direction over the concepts; return the table and the share left untold."""
    atoms, shared = atoms_of(chosen), likeness.vector[None]
    weights = decompose(shared, atoms, l1=l1)
    table = weights_table(chosen, weights[0])
    names = [concept.name for concept in chosen]
    rows = [names.index(used) for used in table["concept"]]
    grades: list[Any] = [chosen[k].grade for k in rows]
    table = table.assign(
        percentile=group.mean("percentile")[rows], calibrated=group.mean("calibrated")[rows], grade=grades
    )
    return table, 1.0 - cosine_of(weights @ atoms, shared) ** 2


def _agreement(centred: NDArray[np.float64]) -> float:
    """Return the mean cosine over all pairs of different rows; NaN for one row."""
    count = len(centred)
    total = float((centred.sum(axis=0) ** 2).sum())
    return (total - count) / (count * (count - 1)) if count > 1 else float("nan")
