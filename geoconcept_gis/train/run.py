"""A whole training run: photos in, a finished model folder out."""

from __future__ import annotations

import json
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, InputError, MissingDependencyError
from ..files import atomic_file
from ..model import load_model
from . import export
from .card import concept_page, model_card
from .job import split
from .loop import fit, make_fabric
from .report import measure
from .sources import open_source
from .validation import take_features

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd
    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from ..progress import Progress
    from .config import DataConfig, TrainConfig
    from .report import Report
    from .sources import Source

__all__ = ["train"]

#: Photos whose mean vector goes into the model.
_MEAN_OF = 20_000


def train(config: TrainConfig, folder: str | PathLike[str] | None = None, *, progress: Progress | None = None) -> Path:
    """Train a model and write its folder; go on where an earlier call was stopped.

    Parameters
    ----------
    config : TrainConfig
        As `read_config` returns it.
    folder : path-like, optional
        For all that the run leaves: ``model/`` (what `load_model` opens), ``evaluation.md``, ``concepts.md``,
        ``predictions.csv``, ``curve.png`` (with matplotlib), ``config.yaml``, ``metrics.csv``, ``validation.csv`` and
        ``checkpoints/``. None means ``runs/<name>``.
    progress : callable, optional
        Called as ``progress(done, total)`` in steps; return true to stop after a checkpoint.

    Returns
    -------
    pathlib.Path
        The model's folder.

    Raises
    ------
    InputError
        There is a finished model in the folder already, or the photos are too few.
    ConfigError
        Settings, photos and checkpoints do not fit each other.
    Cancelled
        `progress` asked to stop.

    Examples
    --------
    >>> from geoconcept_gis import load_model
    >>> from geoconcept_gis.train import read_config
    >>> load_model(train(read_config("configs/regional.yaml")))                             # doctest: +SKIP
    <GeoConceptModel 'regional': 354 concepts, backend numpy, sha256 68a3e06c0ebb>
    """
    folder = Path("runs") / config.name if folder is None else Path(folder)
    target = folder / "model"
    if target.exists():
        raise InputError(f"{target} is finished already: choose another folder, or remove it to train anew")
    fabric = make_fabric(config)
    source, rows, validation, validation_rows = _photos(config)
    teacher = load_model(config.model, backend="numpy")
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "config.yaml", _yaml(config))
    fitted = fit(
        source,
        config,
        rows=rows,
        validation=validation,
        validation_rows=validation_rows,
        model=teacher,
        folder=folder,
        fabric=fabric,
        progress=progress,
    )
    if not fabric.is_global_zero:
        return target
    parts = export.collect(fitted.alignment, config, teacher)
    mean = fitted.encode(take_features(source, rows[:: -(-len(rows) // _MEAN_OF)])).mean(axis=0)
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=folder) as draft:
        model = load_model(
            export.write(Path(draft) / "model", parts, config, teacher, source.tower, photo_mean=mean), backend="numpy"
        )
        report = _measure(model, validation, validation_rows)
        validity = None if config.location_encoder.frozen else _validity(teacher, model)
    if report is not None:
        _write_report(folder, report, config.name)
    _write(folder / "concepts.md", concept_page(config, teacher, report, validity))
    card = model_card(
        config, teacher, fitted, report, photos=len(rows), held_out=len(validation_rows), tower=source.tower
    )
    calibration = None if report is None else report.calibration
    return export.write(
        target, parts, config, teacher, source.tower, photo_mean=mean, calibration=calibration, readme=card
    )


def _photos(config: TrainConfig) -> tuple[Source, NDArray[np.intp], Source, NDArray[np.intp]]:
    """Return the photos to train on and those held out, each as a source and its rows."""
    data = config.data
    source = _open(data, data.train)
    if isinstance(data.validation, str):
        held_out = _open(data, data.validation)
        if held_out.dim != source.dim or held_out.tower.get("sha256") != source.tower.get("sha256"):
            raise ConfigError("data.validation: its features come from another tower than those of data.train")
        return source, np.arange(len(source)), held_out, np.arange(len(held_out))
    rows, validation_rows = split(source, data.validation, data.split_by, config.seed)
    return source, rows, source, validation_rows


def _open(data: DataConfig, path: str) -> Source:
    tower: Any = None
    if data.tower == "weak":
        from ..towers.weak import WeakTower

        tower = WeakTower.load()
    elif data.tower == "clip":
        from ..towers.clip import load_clip

        tower = load_clip(data.weights)
    return open_source(path, coordinates=data.coordinates, tower=tower, exif=data.exif, group=data.group)


def _measure(model: GeoConceptModel, source: Source, rows: NDArray[np.intp]) -> Report | None:
    if not len(rows):
        return None
    group = None if source.group is None else source.group[rows]
    names = np.asarray(source.names)[rows]
    return measure(model, take_features(source, rows), source.lonlat[rows], group=group, names=names)


def _validity(teacher: GeoConceptModel, model: GeoConceptModel) -> pd.DataFrame | None:
    """Return the bank's benchmark before and after training; None where its truths are not at hand."""
    from ..bank.validity import concept_validity

    try:
        before, after = concept_validity(teacher), concept_validity(model)
    except (InputError, MissingDependencyError) as error:
        warnings.warn(f"concept validity was not measured: {error}", stacklevel=3)
        return None
    both = before.merge(after, on=["concept", "family"], suffixes=("_before", "_after"))
    return both.rename(columns={"validity_before": "before", "validity_after": "after"})


def _write_report(folder: Path, report: Report, name: str) -> None:
    title, _, rest = str(report.evaluation).partition("\n")
    _write(folder / "evaluation.md", f"{title}: photos that {name} was not trained on\n{rest}\n")
    for file, table in (("predictions.csv", report.rows), ("concepts.csv", report.concepts)):
        with atomic_file(folder / file) as part:
            table.to_csv(part, index=False)
    with suppress(MissingDependencyError):  # matplotlib is no part of the train extra
        report.evaluation.save(folder / "curve.png", title=f"Recall vs Area: {name}")


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8")


def _yaml(config: TrainConfig) -> str:
    import yaml

    return str(yaml.safe_dump(json.loads(config.model_dump_json()), sort_keys=False, allow_unicode=True))
