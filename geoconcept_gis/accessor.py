"""The accessor ``geoconcept`` of pandas and xarray: a product drawn, explored and traced in a notebook.

    gc.concept_map("hot desert climate").geoconcept.plot()
    gc.embed(places).geoconcept.explore("hot desert climate")

It is there as soon as this package has made or read a product, or after ``import geoconcept_gis.accessor``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from .concepts import slug
from .errors import ConceptError, InputError
from .style import look_of

if TYPE_CHECKING:
    from os import PathLike

    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


__all__ = ["MapAccessor", "TableAccessor"]

_COLUMN, _PREFIX = "concept_", "geoconcept_"
_RASTERS = (".tif", ".tiff")


@pd.api.extensions.register_dataframe_accessor("geoconcept")
class TableAccessor:
    """What ``frame.geoconcept`` offers on tables of `embed` and `embed_h3`.

    A table of H3 cells needs no geometry: the cells' boundaries are drawn.

    Parameters
    ----------
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        With columns ``concept_...``; and with a geometry in any CRS, or H3 cells as index or column ``h3``.

    Examples
    --------
    >>> from geoconcept_gis import embed_h3, h3_grid
    >>> table = embed_h3(h3_grid((30, 29, 33, 31), 5), concepts=["hot desert climate"])
    >>> table.geoconcept.concepts, table.geoconcept.kind
    (['hot desert climate'], 'calibrated')
    >>> table.geoconcept.plot().get_title(loc="left")
    'Hot desert climate'
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def provenance(self) -> dict[str, str]:
        """Where the scores came from, as `read_provenance` reads it from files; empty if the table has lost it."""
        record = self._frame.attrs.get("geoconcept")
        return {str(key): str(value) for key, value in record.items()} if isinstance(record, dict) else {}

    @property
    def concepts(self) -> list[str]:
        """Names of the concepts in the table, in the order of its columns."""
        return list(self._columns())

    @property
    def kind(self) -> str | None:
        """What kind of score the columns hold; None if the table has lost its provenance."""
        return self.provenance.get("kind")

    def plot(
        self, concept: str | None = None, *, ax: Axes | None = None, title: str | None = None, kind: str | None = None
    ) -> Axes:
        """Draw the places, coloured by one concept, over the coasts.

        Colours span the fixed range of the kind of score, as in `plot_concept_map`; grey is no score.

        Parameters
        ----------
        concept : str, optional
            Name or column; None means the first.
        ax : matplotlib.axes.Axes, optional
            Where to draw, in units of the table's CRS (H3 cells: degrees). None makes a new figure, which a notebook
            shows.
        title : str, optional
            None means the concept's name.
        kind : {"calibrated", "percentile", "cosine"}, optional
            What the scores are; only needed where the table has lost its provenance.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ConceptError
            The table has no such concept.
        InputError
            It has neither a geometry nor H3 cells, or no CRS, or its kind of score is unknown.
        MissingDependencyError
            matplotlib is not installed.

        Warns
        -----
        UserWarning
            Rows without a geometry cannot be drawn; says how many.
        """
        from .plot import capital, require_matplotlib
        from .plot_table import draw_places, drawable

        require_matplotlib()
        name, column = self._choose(concept)
        look, shapes = look_of(self._kind(kind)), self._shapes()
        there = drawable(shapes)
        ax = draw_places(shapes[there], self._frame[column][there], look, self._note(), ax, _figure(ax))
        ax.set_title(capital(name) if title is None else title, loc="left", fontsize=14, pad=9)
        return ax

    def explore(
        self,
        concept: str | None = None,
        *,
        engine: str = "auto",
        kind: str | None = None,
        tooltip: list[str] | None = None,
        tiles: str | None = "OpenStreetMap",
        name: str | None = None,
    ) -> Any:
        """Show the places on a map to zoom and click.

        Text from the table is escaped, so that what someone wrote into a name is shown and never run.

        Parameters
        ----------
        concept : str, optional
            Name or column; None means the first.
        engine : {"auto", "folium", "lonboard"}
            ``folium`` makes one HTML page, for up to some thousand places; ``lonboard`` a widget for large tables.
            ``auto``: folium up to 5,000 places, then lonboard if it is installed.
        kind : {"calibrated", "percentile", "cosine"}, optional
            What the scores are; only needed where the table has lost its provenance.
        tooltip : list of str, optional
            Columns to show beside the score; None means the first five that hold neither scores nor geometry.
        tiles : str or None, default "OpenStreetMap"
            Base map of folium, fetched by the browser that shows the page; None for none.
        name : str, optional
            Name of the layer; None means the concept's.

        Returns
        -------
        folium.Map or lonboard.Map

        Raises
        ------
        ConceptError, InputError
            As in `plot`; or `tooltip` names no column, or the engine is unknown.
        MissingDependencyError
            The engine is not installed: extra ``notebook``.

        Warns
        -----
        UserWarning
            Rows without a geometry cannot be drawn; says how many.
        """
        from .interactive import explore_places

        chosen, column = self._choose(concept)
        labels = self._labels(tooltip)
        places = self._shapes().to_frame("geometry").assign(**{"score": self._frame[column].to_numpy()})
        texts = {str(label): self._texts(label) for label in labels}
        look = look_of(self._kind(kind))
        return explore_places(places, texts, chosen if name is None else name, look, engine, tiles)

    def _columns(self) -> dict[str, str]:
        """Return the column of each concept, by the concept's name."""
        names = {_COLUMN + slug(name): name for name in self.provenance.get("concepts", "").split("; ") if name}
        columns = [column for column in map(str, self._frame.columns) if column.startswith(_COLUMN)]
        return {names.get(column, column.removeprefix(_COLUMN).replace("_", " ")): column for column in columns}

    def _choose(self, concept: str | None) -> tuple[str, str]:
        columns = self._columns()
        if not columns:
            raise ConceptError("this table has no concept scores (columns concept_...): make some with embed")
        if concept is None:
            return next(iter(columns.items()))
        for name, column in columns.items():
            if slug(concept) in (slug(name), slug(column)):
                return name, column
        some = ", ".join(map(repr, list(columns)[:5])) + (", ..." if len(columns) > 5 else "")
        raise ConceptError(f"this table has no concept {concept!r}; it has {some} (.geoconcept.concepts lists all)")

    def _kind(self, kind: str | None) -> str:
        found = self.kind if kind is None else kind
        if found is None:
            raise InputError(
                "this table has lost its provenance, so what the scores are is unknown: say kind='calibrated' "
                "(0 to 1), 'percentile' (0 to 100) or 'cosine' (-1 to 1)"
            )
        return found

    def _shapes(self) -> gpd.GeoSeries:
        """Return the geometry, or the boundaries of the H3 cells."""
        import geopandas as gpd

        frame = self._frame
        if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
            if frame.crs is None:
                raise InputError("this frame has no CRS: set_crs('EPSG:4326') if it holds degrees")
            return frame.geometry
        if frame.index.name != "h3" and "h3" not in frame:
            raise InputError("this table has no geometry and no H3 cells (index or column 'h3'): nothing to draw")
        from .cells import cell_shapes, parse_cells

        _, cells = parse_cells(frame.index if frame.index.name == "h3" else frame["h3"])
        return gpd.GeoSeries.from_wkb(cell_shapes(cells, "boundary")[0].to_pandas(), crs="EPSG:4326").set_axis(
            frame.index
        )

    def _labels(self, tooltip: list[str] | None) -> list[Any]:
        frame = self._frame
        index = [frame.index.name] if frame.index.name is not None else []
        if tooltip is not None:
            unknown = [label for label in tooltip if label not in frame and label not in index]
            if unknown:
                raise InputError(f"tooltip names {unknown}, which are no columns of this table")
            return tooltip
        geometries = frame.columns[frame.dtypes.astype(str) == "geometry"]
        ours = [label for label in frame if str(label).startswith((_COLUMN, "embedding_"))]
        return [*index, *frame.columns.drop([*geometries, *ours])][:5]

    def _texts(self, label: Any) -> Any:
        """Return a column, or the index; H3 cells are spelled as they are elsewhere."""
        values = self._frame.index if label == self._frame.index.name else self._frame[label]
        if label == "h3" and pd.api.types.is_integer_dtype(values.dtype):
            return [f"{cell:x}" for cell in values]
        return values

    def _note(self) -> list[str]:
        """Say what a reader must know, in short lines."""
        record = self.provenance
        if "model_sha256" not in record:
            return ["associated with, not observed"]
        reference = record.get("reference_mean", "unknown").replace("_", " ")
        scale = record["scale_km"].replace("-", "\u2013")
        return [
            f"model {record['model']}, sha256 {record['model_sha256'][:8]}  \u00b7  reference: {reference}",
            f"associated with, not observed; scale {scale} km",
        ]


@xr.register_dataset_accessor("geoconcept")  # type: ignore[no-untyped-call]
class MapAccessor:
    """What ``dataset.geoconcept`` offers on maps of `concept_map` and heatmaps of `geolocate`.

    Parameters
    ----------
    dataset : xarray.Dataset
        A concept map, a heatmap, or a selection of one; any CRS.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from geoconcept_gis import concept_map
    >>> egypt = concept_map("hot desert climate", bounds=(25, 22, 35, 31), resolution=1)
    >>> egypt.geoconcept.concepts, egypt.geoconcept.provenance["model"]
    (['hot desert climate'], 'geoclip')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     egypt.geoconcept.save(pathlib.Path(folder) / "egypt.png").name
    'egypt.png'
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    @property
    def provenance(self) -> dict[str, str]:
        """Where the map came from, as `read_provenance` reads it from files; empty if it has lost it."""
        named = {str(key): str(value) for key, value in self._dataset.attrs.items()}
        return {key.removeprefix(_PREFIX): value for key, value in named.items() if key.startswith(_PREFIX)}

    @property
    def concepts(self) -> list[str]:
        """Names of the concepts in the map, in the order of its variables."""
        layers = self._dataset.data_vars.values()
        return [str(layer.attrs["concept"]) for layer in layers if "concept" in layer.attrs]

    @property
    def kind(self) -> str | None:
        """What kind of score the map holds; None if it has lost its provenance."""
        return self.provenance.get("kind")

    def plot(self, concept: str | None = None, *, ax: Axes | None = None, title: str | None = None) -> Axes:
        """Draw one concept of the map; see `plot_concept_map`.

        Parameters
        ----------
        concept : str, optional
            Name or variable; None means the first.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None makes a new figure, which a notebook shows.
        title : str, optional
            None means the concept's name.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        InputError
            The dataset is no concept map, or has no such concept.
        MissingDependencyError
            matplotlib is not installed.
        """
        from .plot import choose_layer, draw_concept_map, require_matplotlib
        from .raster import check_map

        require_matplotlib()
        choose_layer(check_map(self._dataset)[0], concept)  # an error leaves no empty figure behind
        return draw_concept_map(self._dataset, concept, ax, _figure(ax), title)

    def save(self, path: str | PathLike[str], concept: str | None = None, *, title: str | None = None) -> Path:
        """Write the map: all of it as GeoTIFF or Zarr, or one concept as a picture.

        Parameters
        ----------
        path : path-like
            Ends in ``.tif`` (`write_raster`), ``.zarr`` (`write_zarr`), or ``.png``, ``.pdf``, ``.svg``, ``.jpg``,
            ``.webp`` (`save_concept_map`).
        concept, title : str, optional
            As in `plot`; for pictures only.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        InputError
            The dataset is no concept map, has no such concept, or the path has another ending.
        MissingDependencyError
            The ending needs a package that is not installed.
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (*_RASTERS, ".zarr"):
            from .plot import save_concept_map

            return save_concept_map(self._dataset, path, concept, title=title)
        if concept is not None or title is not None:
            raise InputError(f"a {suffix} file holds all concepts: leave concept and title out, or select variables")
        if suffix == ".zarr":
            from .scale.maps import write_zarr

            return write_zarr(self._dataset, path)
        from .raster import write_raster

        return write_raster(self._dataset, path)

    def explore(
        self,
        concept: str | None = None,
        *,
        engine: str = "auto",
        tiles: str | None = "OpenStreetMap",
        opacity: float = 0.75,
    ) -> Any:
        """Show one concept on a map to zoom, as an image over a base map.

        Parameters
        ----------
        concept : str, optional
            Name or variable; None means the first.
        engine : {"auto", "folium", "lonboard"}
            ``auto`` is folium where it is installed.
        tiles : str or None, default "OpenStreetMap"
            Base map of folium, fetched by the browser that shows the page; None for none.
        opacity : float, default 0.75
            0 to 1.

        Returns
        -------
        folium.Map or lonboard.Map

        Raises
        ------
        InputError
            The dataset is no concept map, has no such concept, or the engine is unknown.
        MissingDependencyError
            The engine is not installed: extra ``notebook``.

        Notes
        -----
        Web maps end at 85.05 degrees north and south. Cells keep their colours, none is mixed with its neighbours;
        of a map wider than 4,096 cells only some are shown.
        """
        from .interactive import explore_raster
        from .plot import choose_layer
        from .raster import check_map

        layers, grid = check_map(self._dataset)
        layer = choose_layer(layers, concept)
        look = look_of(self._dataset.attrs["geoconcept_kind"])
        return explore_raster(layer, grid, look, engine, tiles, opacity)


def _figure(ax: Axes | None) -> Figure | None:
    """Return an empty figure that a notebook shows below the cell, as it does those of pandas; None outside of one."""
    ipython = sys.modules.get("IPython")
    if ax is not None or ipython is None or ipython.get_ipython() is None:
        return None
    import matplotlib.pyplot as plt

    return plt.figure()
