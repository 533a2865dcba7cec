"""Every error and warning the package raises on purpose.

Each class is a `GeoConceptError` and also the built-in it resembles, so both
``except GeoConceptError`` and ``except ValueError`` work.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "CacheWarning",
    "Cancelled",
    "ConceptError",
    "ConfigError",
    "CoordinateError",
    "FewPlacesWarning",
    "GeoConceptError",
    "InputError",
    "MissingDependencyError",
    "ModelFileError",
    "PhotoError",
    "PhraseWarning",
    "ScaleWarning",
    "SeamWarning",
    "UnknownWeightsWarning",
    "WeakTowerWarning",
]


class GeoConceptError(Exception):
    """Base of every error raised on purpose."""


class InputError(GeoConceptError, ValueError):
    """An argument, a column or a file does not hold what it must hold."""


class PhotoError(InputError):
    """A photo or a folder of photos is missing, unreadable, too large or of a kind that is not read."""


class CoordinateError(InputError):
    """Coordinates are missing, out of range, swapped or of the wrong shape."""


class ConceptError(GeoConceptError, ValueError):
    """A concept is unknown, malformed or belongs to another vector space."""


class ConfigError(GeoConceptError, ValueError):
    """The settings of a training run are malformed; the message names the keys."""


class ModelFileError(GeoConceptError, OSError):
    """A model folder or concept bank is missing, corrupt, truncated or foreign."""


class BackendError(GeoConceptError, RuntimeError):
    """A backend cannot run here."""


class MissingDependencyError(GeoConceptError, ImportError):
    """An optional package is needed; the message names the extra that installs it."""


class Cancelled(GeoConceptError):  # noqa: N818 - what happened, not an error
    """The caller's progress function asked to stop."""


class CacheWarning(UserWarning):
    """What can be made again could not be kept for the next time."""


class FewPlacesWarning(UserWarning):
    """A concept was made from so few places that its test says little."""


class PhraseWarning(UserWarning):
    """A text was understood in part, or is about no place."""


class SeamWarning(UserWarning):
    """Some places lie where the encoder is discontinuous (antimeridian, poles)."""


class ScaleWarning(UserWarning):
    """One point stands for an area larger than the encoder's own scale."""


class UnknownWeightsWarning(UserWarning):
    """A file of weights fits, but is none of those that were published."""


class WeakTowerWarning(UserWarning):
    """The offline image tower was loaded, which is weak: for tests and demos only."""
