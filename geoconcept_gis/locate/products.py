"""Rasters and pictures of geolocations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ..place_vectors import spell_place

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from .geolocation import Geolocation

__all__ = ["draw", "rasterise"]

#: A picture shows what holds this much, and some room around it; the world if that is wider than so many degrees.
_SHOWN, _WIDEST = 0.75, 90.0
_INK = "#0b3d91"


def rasterise(one: Geolocation, bounds: tuple[float, float, float, float] | None, resolution: float) -> xr.Dataset:
    """See `Geolocation.to_raster`."""
    import rioxarray  # noqa: F401 - adds .rio to xarray's objects
    import xarray as xr

    from .. import accessor  # noqa: F401 - adds .geoconcept to heatmaps
    from ..grid import make_grid
    from ..h3cells import cells_of

    grid = make_grid(bounds, resolution, None, "EPSG:4326", 2)
    # Each raster cell takes its share of the H3 cell that holds its centre.
    inside = [grid.lonlat(block) for block in grid.blocks()]
    cells = np.concatenate([cells_of(places, one._level) for places in inside])
    row = np.searchsorted(one.cells, cells).clip(max=len(one.cells) - 1)
    found = one.cells[row] == cells
    area = np.repeat(_area_km2(grid.y, grid.xres, grid.yres), grid.width)
    if bounds is None:  # all of it must add up to one, whatever the corners cut off
        covered = np.bincount(row[found], area[found], minlength=len(one.cells))
        lost = one.probability[covered == 0.0].sum()
        per_km2 = np.divide(one.probability, covered, out=np.zeros_like(covered), where=covered > 0.0) / (1.0 - lost)
    else:
        per_km2 = one.density
    density, share = (np.where(found, values[row], 0.0) for values in (one.density, per_km2))
    layers = {
        "density": (density, "probability per km2 that the photo was taken here", "km-2"),
        "probability": (share * area, "probability that the photo was taken in this cell", "1"),
    }
    dataset: xr.Dataset = xr.Dataset(coords={"lat": grid.y, "lon": grid.x}, attrs=_attributes(one))
    dataset = dataset.rio.set_spatial_dims(x_dim="lon", y_dim="lat")
    dataset = dataset.rio.write_crs(grid.crs).rio.write_coordinate_system().rio.write_transform(grid.transform)
    for name, (values, long_name, units) in layers.items():
        attributes = {"long_name": long_name, "units": units, "comment": "An estimate; no evidence of a position."}
        encoding = {"_FillValue": np.float32(np.nan), "grid_mapping": "spatial_ref"}
        raster = values.reshape(grid.height, grid.width).astype(np.float32)
        dataset[name] = xr.Variable(("lat", "lon"), raster, attributes, encoding)
    return dataset


def _area_km2(lat: NDArray[np.float64], xres: float, yres: float) -> NDArray[np.float64]:
    """Area of a raster cell in each row."""
    from .sphere import EARTH_RADIUS_KM

    edges = np.radians(np.stack([lat - yres / 2.0, lat + yres / 2.0]).clip(-90.0, 90.0))
    return np.asarray(EARTH_RADIUS_KM**2 * np.radians(xres) * np.abs(np.diff(np.sin(edges), axis=0)[0]))


def _attributes(one: Geolocation) -> dict[str, str]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Conventions": "CF-1.11",
        "title": f"Where it may be from: {one.name}",
        "source": f"{one.provenance.get('software', '')}, model {one.provenance.get('model', '')}",
        "history": f"{now} {one.provenance.get('software', '')}: geolocate",
        "comment": "A probability under the named prior, calibrated on other photos; no evidence of a position.",
        "geoconcept_kind": "density",
        **{f"geoconcept_{key}": value for key, value in one.provenance.items() if key != "kind"},
    }


def draw(one: Geolocation, ax: Any, title: str | None) -> Any:
    """See `Geolocation.plot`."""
    from ..plot import draw_shores, new_axes, require_matplotlib, view_of
    from ..style import look_of

    require_matplotlib()
    bounds = _frame(one)
    dataset = one.to_raster(bounds, min(max((bounds[2] - bounds[0]) / 900.0, 0.02), 0.25))
    view, look = view_of(dataset), look_of("density")
    ax, bar_ax = new_axes(view) if ax is None else (ax, None)
    image = _draw_density(ax, dataset, view, look)
    draw_shores(ax, view)
    _draw_areas(ax, one, lines=not view.is_world)
    _draw_points(ax, one.points, view)
    ax.set(xlim=(view.left, view.right), ylim=(view.bottom, view.top), aspect=view.stretch)
    ax.set_title(one.name if title is None else title, loc="left", fontsize=13, pad=9)
    if bar_ax is not None:
        bar = ax.figure.colorbar(image, cax=bar_ax, orientation="horizontal", extend="both")
        bar.set_label(_caption(one, look.label, lines=not view.is_world), fontsize=8, loc="left")
    return ax


def _draw_density(ax: Any, dataset: xr.Dataset, view: Any, look: Any) -> Any:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm
    from scipy.ndimage import gaussian_filter

    density = dataset["density"].values
    if view.is_world:  # a cell is hardly a dot there: draw it a little larger than it is
        density = np.maximum(density, gaussian_filter(density, 1.6) * 4.0)
    ax.set_facecolor("#f4f6f7")
    return ax.imshow(
        np.ma.masked_less(density, look.low),
        cmap=LinearSegmentedColormap.from_list("density", look.colours[2:]),
        norm=LogNorm(look.low, look.high),
        extent=(view.left, view.right, view.bottom, view.top),
        aspect=view.stretch,
    )


def _draw_areas(ax: Any, one: Geolocation, *, lines: bool) -> None:
    if not lines:  # thinner than a line on a map of the world
        return
    for area, style in zip(one.areas.geometry, ("solid", "dotted"), strict=True):
        for part in getattr(area.boundary, "geoms", [area.boundary]):
            x, y = np.asarray(part.coords).T[:2]
            cut = np.flatnonzero((np.abs(x[1:]) == 180.0) & (x[1:] == x[:-1])) + 1  # along the antimeridian
            x, y = np.insert(x, cut, np.nan), np.insert(y, cut, np.nan)
            for turn in (0.0, 360.0):  # longitudes of the map may run on past 180
                ax.plot(x + turn, y, color="white", linewidth=2.6, alpha=0.8, scalex=False, scaley=False)
                ax.plot(x + turn, y, color=_INK, linewidth=1.2, linestyle=style, scalex=False, scaley=False)


def _draw_points(ax: Any, points: Any, view: Any) -> None:
    from matplotlib.patheffects import withStroke

    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    x = np.where(x < view.left, x + 360.0, x)
    seen = (x < view.right) & (y > view.bottom) & (y < view.top)
    points, x, y = points[seen], x[seen], y[seen]
    size = 20 + 200 * points["probability"]
    for colour, width in (("white", 3.2), (_INK, 1.4)):
        ax.scatter(x, y, s=size, facecolor="none", edgecolor=colour, linewidth=width, zorder=5)
    for rank, east, north in zip(points["rank"][:5], x, y, strict=False):
        halo = [withStroke(linewidth=2.5, foreground="white")]
        style = {"fontsize": 9, "color": _INK, "zorder": 6, "path_effects": halo}
        ax.annotate(str(rank), (east, north), (6, 5), textcoords="offset points", **style)


def _caption(one: Geolocation, label: str, *, lines: bool) -> str:
    best = one.points.iloc[0]
    half, most = (
        f"{level:.0%} in {float(f'{area:.2g}'):,.0f} km2" for level, area in one.areas[["level", "area_km2"]].to_numpy()
    )
    outlines = f"{half} (solid outlines), {most} (dotted)" if lines else f"{half}, {most}"
    digits = 2 if best.within_km <= 50 else 1  # no finer than what is known
    place = spell_place(round(best.geometry.x, digits), round(best.geometry.y, digits))
    return (
        f"{label}: {outlines}.\nPlace 1: {place}, {best.probability:.0%} within {best.within_km} km. An estimate, not "
        f"evidence.\nPrior: {one.provenance.get('prior', '?')}. "
        f"Tower: {one.provenance.get('tower', '?').split(', sha256')[0]}."
    )


def _frame(one: Geolocation) -> tuple[float, float, float, float]:
    """Return bounds around the cells that hold nearly all, with room; the world if they are all over it."""
    lon, lat = one.lonlat[one.credible <= _SHOWN].T
    south, north = lat.min(), lat.max()
    if np.ptp(lon % 360.0) < np.ptp(lon):  # on both sides of the antimeridian
        lon = lon % 360.0
    west, east = lon.min(), lon.max()
    if east - west > _WIDEST:
        return (-180.0, -60.0 if south > -60.0 else -90.0, 180.0, 85.0)
    cell = 2.0 * one.within_km / 111.0  # a cell's width in degrees, and more
    room = max(2.0, cell, 0.15 * max(east - west, north - south))
    return (max(west - room, -180.0), max(south - room, -90.0), east + room, min(north + room, 90.0))
