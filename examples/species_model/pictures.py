"""Pictures: what was predicted, how sure that is, where there are no data; and response curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from records import Bounds, from_west

from geoconcept_gis.files import atomic_file
from geoconcept_gis.land import coastlines

SEA, SHORE, RECORD = "#eceff1", "#5c656b", "#d7263d"
LOOKED_AT = {"color": "0.35", "markersize": 0.8, "label": "looked at"}
RECORDS = {"color": RECORD, "markersize": 2.5, "label": "records"}


def draw_maps(
    name: str, cells: pd.DataFrame, records: np.ndarray, background: np.ndarray, bounds: Bounds, step: float, path: Path
) -> Path:
    """Draw true suitability (where there is one), the mean prediction, its spread, and what is unlike all data."""
    panels = {title: column for title, column in PANELS.items() if column in cells}
    high = 5.8 * stretch(bounds) * (bounds[3] - bounds[1]) / (bounds[2] - bounds[0])  # of a map, in inches
    rows = (len(panels) + 2) // 2
    figure = Figure(figsize=(12, 0.5 + rows * (high + 0.95)))
    FigureCanvasAgg(figure)
    figure.subplots_adjust(0.01, 0.02, 0.99, 1.0 - 0.75 / figure.get_figheight(), wspace=0.03, hspace=0.0)
    figure.suptitle(name, fontsize=14, y=1.0 - 0.15 / figure.get_figheight())
    axes = list(figure.subplots(rows, 2).flat)
    for ax, (title, column) in zip(axes, panels.items(), strict=False):
        colours = "magma_r" if column == "spread" else "viridis"
        image = draw_cells(ax, cells, cells[column], bounds, step, cmap=colours, vmin=0.0, vmax=1.0)
        figure.colorbar(image, cax=ax.inset_axes((0.02, -0.18 / high, 0.4, 0.07 / high)), orientation="horizontal")
        dress(ax, title, bounds)
    ax = axes[len(panels)]
    unlike = np.where(cells["no_data_near"], 1.0, np.nan)
    draw_cells(ax, cells, unlike, bounds, step, cmap="Wistia", vmin=0.0, vmax=1.5)
    for lonlat, how in ((background, LOOKED_AT), (records, RECORDS)):
        ax.plot(from_west(lonlat[:, 0], bounds), lonlat[:, 1], ".", **how)
    ax.plot([], [], "s", color="#ffb400", markersize=3.5, label="unlike all data")
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.0), frameon=False, fontsize=9, markerscale=2, ncols=3)
    dress(ax, "Data, and land that is unlike all of them", bounds)
    for spare in axes[len(panels) + 1 :]:
        spare.set_axis_off()
    return save(figure, path)


#: Title and column of each map.
PANELS = {
    "True relative suitability (made up)": "truth",
    "Predicted, mean of the refits": "mean",
    "Spread: 90th minus 10th percentile of the refits": "spread",
}


def draw_cells(
    ax: Axes, cells: pd.DataFrame, values: np.ndarray | pd.Series, bounds: Bounds, step: float, **how: object
) -> object:
    west, south, east, north = bounds
    raster = np.full((round((north - south) / step), round((east - west) / step)), np.nan)
    row = ((cells["lat"] - south) / step).astype(int)
    raster[row, ((from_west(cells["lon"], bounds) - west) / step).astype(int)] = values
    return ax.imshow(raster, extent=(west, east, south, north), origin="lower", interpolation="nearest", **how)


def stretch(bounds: Bounds) -> float:
    """Return how much taller than wide a degree is drawn: of longitude there is less far from the equator."""
    west, south, east, north = bounds
    return 1.0 if east - west > 300.0 else float(1.0 / np.cos(np.radians((south + north) / 2.0)))


def dress(ax: Axes, title: str, bounds: Bounds) -> None:
    west, south, east, north = bounds
    for turn in (0.0, 360.0)[: 1 + (east > 180.0)]:
        ax.plot(*(coastlines() + np.array([turn, 0.0])).T, color=SHORE, linewidth=0.35)
    ax.set(xlim=(west, east), ylim=(south, north), aspect=stretch(bounds), facecolor=SEA, xticks=[], yticks=[])
    ax.set_title(title, loc="left", fontsize=11)
    ax.set_anchor("N")


def draw_responses(
    name: str, values: np.ndarray, curves: dict[str, np.ndarray], scores: pd.DataFrame, y: np.ndarray, path: Path
) -> Path:
    """Draw the mean response and the range of the refits for each concept; ticks show where the records are."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{name}: relative suitability along each concept, the others as they are", fontsize=12)
    axes = figure.subplots(2, 3, sharex=True, sharey=True).flat
    for ax, (column, refitted) in zip(axes, curves.items(), strict=True):
        ax.fill_between(values, *np.quantile(refitted, [0.1, 0.9], axis=0), color="teal", alpha=0.25, linewidth=0)
        ax.plot(values, refitted.mean(axis=0), color="teal", linewidth=2)
        for label, height, colour in ((1, 0.97, RECORD), (0, 0.03, "0.5")):
            at = scores.loc[y == label, column].to_numpy()[:300]
            ax.plot(at, np.full(len(at), height), "|", color=colour, markersize=6, transform=ax.get_xaxis_transform())
        ax.set_title(column.removeprefix("concept_").replace("_", " "), fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylim(0.0, 1.25 * max(np.quantile(refitted, 0.9, axis=0).max() for refitted in curves.values()))
    figure.supxlabel("calibrated concept score; ticks: records (top) and background (bottom)", fontsize=10)
    figure.supylabel("mean relative suitability", fontsize=10)
    return save(figure, path)


def save(figure: Figure, path: Path) -> Path:
    with atomic_file(path) as part:
        figure.canvas.print_figure(part, dpi=100, facecolor="white", format="png")
    return path
