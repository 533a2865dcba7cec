"""What a teaching run leaves to be read: curves, what was learnt, maps before and after, seams and speed."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError, MissingDependencyError
from ...files import atomic_file
from ...maps import concept_map
from ...model import load_model
from ...reference import reference_places
from ..checkpoint import latest_checkpoint
from .measures import by_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...model import GeoConceptModel

    Encode = Callable[[NDArray[np.float64]], NDArray[np.float32]]

__all__ = ["continuity", "write_report"]

_KM = 111.195  # a degree of the sphere
_PAIRS = 5_000  # of places a kilometre apart, of each sort
#: What maps show; and where: the world, and the land on both sides of the antimeridian.
_CONCEPTS = ("boreal climate", "rugged relief", "settled")
_VIEWS: tuple[dict[str, Any], ...] = ({"resolution": 2.0}, {"bounds": (160.0, 50.0, -150.0, 72.0), "resolution": 0.5})
_TIMED = 4096
#: What is measured by AUROC and is no label of the land.
_OF_PHOTOS_AND_WORDS = ("scene", "culture", "phrases", "phrases held", "photos")


def write_report(folder: Path) -> Path:
    """Write ``report.md`` with ``curves.png`` and ``maps.png`` into the folder of a finished teaching run.

    Parameters
    ----------
    folder : pathlib.Path
        With ``model`` and ``checkpoints``.

    Returns
    -------
    pathlib.Path
        ``report.md``. Without matplotlib there are no pictures, and it says so.

    Raises
    ------
    InputError
        The run is not finished.
    """
    found = latest_checkpoint(folder / "checkpoints")
    if found is None or not (folder / "model").is_dir():
        raise InputError(f"{folder} holds no finished teaching run: a report needs its model and its checkpoints")
    config, history = found.state["config"], found.state["history"]
    teacher = load_model(config["model"], backend="numpy")
    model = load_model(folder / "model", backend="numpy")
    pictures = ""
    with suppress(MissingDependencyError):
        _save(_curves(history), folder / "curves.png")
        _save(_maps(teacher, model), folder / "maps.png")
        pictures = "![Curves](curves.png)\n\n![Maps before and after](maps.png)"
    with atomic_file(folder / "report.md") as part:
        part.write_text(
            _PAGE.format(
                name=config["name"],
                teacher=teacher.name,
                steps=found.state["step"],
                batch=config["optim"]["batch_size"],
                weights=_weights(config),
                learnt=_table(("measured", "value"), [(k, f"{v:.3f}") for k, v in by_source(history[-1]).items()]),
                pictures=pictures or "For pictures install matplotlib (extra `plot`).",
                continuity=_continuity_table(teacher, model),
                speed=_speed_table(teacher, model),
                files=_table(("file", "sha256"), [(k, f"`{v}`") for k, v in sorted(model.config["files"].items())]),
            ),
            encoding="utf-8",
        )
    return folder / "report.md"


_PAGE = """# {name}: what was taught, and what was learnt

Taught by {teacher} and by truths, {steps:,} steps of {batch:,} places. Weights of the teachers: {weights}.

## What was learnt

At places that were held out. `cosine`: with the teacher's vectors, by the set that the places are of. `auroc`: labels
of a family, told by a linear head that reads the 512 numbers. `r2`: share of the variance of a source's numbers, alike.
With `held blocks`: in blocks of 10 by 10 degrees whose truths were held back.

{learnt}

## Curves and maps

The maps show, of some concepts, the teacher's score and this model's: all land, then both sides of the
antimeridian (red).

{pictures}

## Across seam and poles

Cosine of the vectors of two places 1 km apart.

{continuity}

## Speed and size

Numpy, on the machine that wrote this page; the ratio depends on what else runs there.

{speed}

## Files

{files}
"""


def continuity(encode: Encode) -> dict[str, NDArray[np.float64]]:
    """Return the cosines of places 1 km apart: across the antimeridian, across each pole, and elsewhere.

    Parameters
    ----------
    encode : callable
        From (lon, lat) in degrees, EPSG:4326, shape (N, 2), to vectors (N, 512).

    Returns
    -------
    dict of str to ndarray of float64, shape (N,)

    Examples
    --------
    >>> found = continuity(lambda lonlat: np.ones((len(lonlat), 512), dtype=np.float32))
    >>> {name: float(cosines.min().round(6)) for name, cosines in found.items()}
    {'antimeridian': 1.0, 'north pole': 1.0, 'south pole': 1.0, 'elsewhere': 1.0}
    """
    lat, half = np.linspace(-80.0, 80.0, _PAIRS), 0.5 / _KM
    east = half / np.cos(np.radians(lat))
    pairs = {"antimeridian": (np.stack([180.0 - east, lat], axis=1), np.stack([east - 180.0, lat], axis=1))}
    around = np.linspace(-180.0, 0.0, _PAIRS, endpoint=False)
    for pole, sign in (("north pole", 1.0), ("south pole", -1.0)):
        beside = np.full(_PAIRS, sign * (90.0 - half))
        pairs[pole] = np.stack([around, beside], axis=1), np.stack([around + 180.0, beside], axis=1)
    anywhere = reference_places("uniform_earth", _PAIRS, seed=1)
    anywhere = anywhere[(np.abs(anywhere) < (179.0, 80.0)).all(axis=1)]
    step = np.stack([2.0 * half / np.cos(np.radians(anywhere[:, 1])), np.zeros(len(anywhere))], axis=1)
    pairs["elsewhere"] = anywhere, anywhere + step
    return {name: _cosine(encode(one), encode(other)) for name, (one, other) in pairs.items()}


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(one, axis=1).astype(np.float64) * np.linalg.norm(other, axis=1)
    return np.asarray((one.astype(np.float64) * other).sum(axis=1) / lengths)


def _continuity_table(teacher: GeoConceptModel, model: GeoConceptModel) -> str:
    before, after = continuity(teacher.encode), continuity(model.encode)
    rows = [
        (place, *(f"{one[place].mean():.4f}, {one[place].min():.4f}" for one in (before, after))) for place in before
    ]
    return _table(("mean, least", teacher.name, model.name), rows)


def _speed_table(teacher: GeoConceptModel, model: GeoConceptModel) -> str:
    speed = [_points_a_second(one) for one in (teacher, model)]
    size = [(one.folder / "location_encoder.safetensors").stat().st_size / 1e6 for one in (teacher, model)]
    rows = [
        ("points a second", *(f"{one:,.0f}" for one in speed), f"{speed[1] / speed[0]:.1f} times"),
        ("encoder, MB", *(f"{one:.1f}" for one in size), f"{size[1] / size[0]:.2f} times"),
    ]
    return _table(("", teacher.name, model.name, "ratio"), rows)


def _points_a_second(model: GeoConceptModel) -> float:
    places, best = reference_places("uniform_land", _TIMED, seed=2), np.inf
    for _ in range(3):
        start = time.perf_counter()
        model.encode(places)
        best = min(best, time.perf_counter() - start)
    return _TIMED / best


def _weights(config: dict[str, Any]) -> str:
    teachers = config["teachers"]
    parts = [f"{name} {value:g}" for name, value in teachers.items() if not isinstance(value, (bool, list)) and value]
    parts += [f"without {', '.join(teachers['without'])}"] if teachers["without"] else []
    return ", ".join(parts) + (", truths of held blocks held back" if teachers.get("held_blocks") else "")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _save(figure: Figure, path: Path) -> None:
    with atomic_file(path) as part:
        figure.savefig(part, format="png", dpi=110)


def _curves(history: list[dict[str, float]]) -> Figure:
    """Draw what was measured, a panel for each way of measuring."""
    from ...plot import require_matplotlib

    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    measured = [by_source(one) for one in history]
    panels: dict[str, list[str]] = {}
    for name in measured[-1]:
        panels.setdefault(_panel_of(name), []).append(name)
    figure = Figure(figsize=(4.6 * len(panels), 5.0), layout="constrained")
    for ax, (title, names) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        colours: dict[str, str] = {}  # the same for what is measured in held blocks
        for name in names:
            colour = colours.setdefault(name.partition(",")[0], f"C{len(colours)}")
            values = [one.get(name, np.nan) for one in measured]
            style = "--" if "," in name else "-"
            label = name.partition(" ")[2]
            ax.plot([one["step"] for one in history], values, style, color=colour, marker=".", label=label)
        ax.set_title(title, loc="left", fontsize=10)
        ax.set_xlabel("step")
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    return figure


def _panel_of(name: str) -> str:
    how, _, what = name.partition(" ")
    if how == "cosine":
        return "Meaning: centred cosine with the teacher"
    if how == "r2":
        return "Numbers: share of the variance explained"
    return "Scenes, phrases, photos: AUROC" if what in _OF_PHOTOS_AND_WORDS else "Labels: AUROC"


def _maps(teacher: GeoConceptModel, model: GeoConceptModel) -> Figure:
    """Draw the score of some concepts by the teacher and by the model, side by side."""
    from ...plot import require_matplotlib

    require_matplotlib()
    from matplotlib.figure import Figure

    concepts = [name for name in _CONCEPTS if name in teacher.bank.names and name in model.bank.names]
    figure = Figure(figsize=(16.0, 2.9 * len(concepts)), layout="constrained")
    axes = figure.subplots(len(concepts), 4, width_ratios=(1.5, 1.5, 1.0, 1.0), squeeze=False)
    image = None
    for column, (view, one) in enumerate((view, one) for view in _VIEWS for one in (teacher, model)):
        layers = concept_map(concepts, model=one, kind="calibrated", **view).data_vars.values()
        for ax, name, layer in zip(axes[:, column], concepts, layers, strict=False):
            lon, lat = layer["lon"].to_numpy(), layer["lat"].to_numpy()
            half = abs(lat[0] - lat[1]) / 2.0
            extent = (lon[0] - half, lon[-1] + half, lat[-1] - half, lat[0] + half)
            image = ax.imshow(layer.to_numpy(), extent=extent, vmin=0.0, vmax=1.0, aspect="auto")
            if lon[-1] > 180.0:
                ax.axvline(180.0, color="red", linewidth=0.6)
            ax.set_facecolor("#eceff1")
            ax.set_title(f"{name}: {one.name}", loc="left", fontsize=10)
            ax.tick_params(labelsize=7)
    if image is not None:
        bar = figure.colorbar(image, ax=axes, orientation="horizontal", shrink=0.3, aspect=40)
        bar.set_label("share of reference places with this score that carry the label", fontsize=9)
    return figure
