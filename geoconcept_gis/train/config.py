"""The settings of a training run: YAML in, checked and frozen objects out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    from .teach.config import TeachConfig

__all__ = [
    "ConceptsConfig",
    "DataConfig",
    "ImageHeadConfig",
    "LocationEncoderConfig",
    "NegativesConfig",
    "OptimConfig",
    "Part",
    "PlacesConfig",
    "RunConfig",
    "TrainConfig",
    "parse_config",
    "read_config",
]

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Part(BaseModel):
    """A part of the settings: unknown keys are refused, values are not converted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())


class DataConfig(Part):
    """Where photos and their places come from.

    Attributes
    ----------
    train : str
        Cached features (a folder of `cache_features`, or Parquet), a folder of photos, or WebDataset shards.
    validation : str or float
        The same for validation, or the share of `train` that is held out.
    coordinates : str, optional
        A table of coordinates, for a folder of photos.
    tower : {"clip", "weak"}, optional
        What reads photos that are no cached features yet.
    weights : str, optional
        File with CLIP's weights.
    exif : bool
        Take places from the photos themselves, where there is no table of them.
    group : str, optional
        Column of the table that says who took each photo.
    split_by : {"group", "cell", "photo"}
        What the held-out share keeps together: photographers where they are known (photos where not), H3 cells of
        resolution 3, or nothing.
    prefetch : int
        Batches made ready in the background.
    """

    train: str
    validation: Annotated[float, Field(ge=0.0, le=0.5)] | str = 0.1
    coordinates: str | None = None
    tower: Literal["clip", "weak"] | None = None
    weights: str | None = None
    exif: bool = False
    group: str | None = None
    split_by: Literal["group", "cell", "photo"] = "group"
    prefetch: Count = 4


class ImageHeadConfig(Part):
    """The two layers that bring the tower's features into the shared space.

    Attributes
    ----------
    start : {"random", "model"}
        New weights, or those of the model that training starts from (CLIP features only).
    hidden : int
        Width between the layers.
    dropout, hidden_dropout : float
        Share of inputs, and of numbers between the layers, that are set to zero in training.
    """

    start: Literal["random", "model"] = "random"
    hidden: Count = 768
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    hidden_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class LocationEncoderConfig(Part):
    """What turns (lon, lat) into vectors.

    Attributes
    ----------
    kind : {"model", "capsules", "tables", "sh-siren", "spherec+", "xyz", "grid"}
        ``model``: the encoder of the model that training starts from; else a new one.
    frozen : bool
        Leave it as it is. Concepts, gallery and word adapter of the model then stay valid.
    settings : dict
        Of a new encoder, for example ``{degree: 20, hidden: 512}``; see `geoconcept_gis.train.encoders`.
    """

    kind: Literal["model", "capsules", "tables", "sh-siren", "spherec+", "xyz", "grid"] = "model"
    frozen: bool = True
    settings: dict[str, Any] = {}

    @model_validator(mode="after")
    def _consistent(self) -> LocationEncoderConfig:
        if self.kind != "model" and self.frozen:
            raise ValueError("a new encoder is random and cannot be frozen: set frozen: false, or kind: model")
        if self.kind == "model" and self.settings:
            raise ValueError("settings are for new encoders; kind: model keeps those of its model")
        return self


class PlacesConfig(Part):
    """The loss between photos and places.

    Attributes
    ----------
    loss : {"infonce", "two-sided", "smoothed", "geocells", "none"}
        See docs/losses.md.
    weight : float
        Of this loss.
    tau_km : float
        Of ``smoothed`` and ``geocells``: how far away a place still counts as partly right.
    scale : float
        What cosines are multiplied with at the start.
    learn_scale : bool
        Whether training changes it (never above 100).
    geocell_most, geocell_fewest : int
        Photos in a cell of ``geocells``.
    """

    loss: Literal["infonce", "two-sided", "smoothed", "geocells", "none"] = "infonce"
    weight: Positive = 1.0
    tau_km: Positive = 75.0
    scale: Positive = 14.2857
    learn_scale: bool = True
    geocell_most: Count = 200
    geocell_fewest: Count = 10


class ConceptsConfig(Part):
    """The loss between photos and places in the space of concepts.

    Attributes
    ----------
    loss : {"auto", "none", "seen", "kl", "mse", "infonce", "cauchy-schwarz", "divergence"}
        See docs/losses.md. ``seen`` holds photos to places where the concepts that they show are probable; all others
        compare photos with the concepts of their own place, which helped in no trial (``divergence`` is equation 6 of
        arXiv 2509.01910 as printed). ``auto`` is ``seen`` where the table `seen` is given, else ``none``.
    seen : str, optional
        CSV with columns ``name`` and ``concepts``: which concepts each photo shows.
    weight : float
        Of this loss (lambda); 3 suits ``seen``.
    width : float
        Temperature of ``kl`` and ``infonce``, sigma of ``cauchy-schwarz`` and ``divergence``, divisor of ``mse``.
    families : list of str, optional
        Only concepts of these families.
    learn_offset : bool
        Whether the bank's directions may move (B = E + offset).
    offset_decay : float
        How strongly they are held to where they were: weight of the offset's mean square.
    image : {"shared", "mlp"}
        How photos get activations: from their vector in the shared space, on the same basis as places; or by layers
        of their own, as in the paper.
    control : {"none", "random", "shuffled"}
        Random directions instead of the bank's (not with ``seen``), or the concepts of another photo (``seen``)
        or of its place (all others): what chance gives.
    """

    loss: Literal["auto", "none", "seen", "kl", "mse", "infonce", "cauchy-schwarz", "divergence"] = "auto"
    seen: str | None = None
    weight: NotNegative = 3.0
    width: Positive = 0.1
    families: list[str] | None = None
    learn_offset: bool = False
    offset_decay: NotNegative = 0.0
    image: Literal["shared", "mlp"] = "shared"
    control: Literal["none", "random", "shuffled"] = "none"

    @property
    def used(self) -> str:
        """The loss that is used: `loss`, with ``auto`` decided; ``none`` where its weight is 0."""
        if self.weight == 0.0:
            return "none"
        if self.loss == "auto":
            return "none" if self.seen is None else "seen"
        return self.loss

    @model_validator(mode="after")
    def _consistent(self) -> ConceptsConfig:
        if self.loss == "seen" and self.seen is None:
            raise ValueError("concepts.loss: seen needs concepts.seen, a table of the concepts that each photo shows")
        if self.used == "seen" and self.control == "random":
            raise ValueError("concepts.control: random is for losses on directions; take shuffled with seen")
        return self


class NegativesConfig(Part):
    """Places that no photo of the batch is from.

    Attributes
    ----------
    kind : {"queue", "gallery", "none"}
        Places of earlier batches (GeoCLIP), or places drawn from the gallery once.
    size : int
        How many.
    noise_km : float
        Standard deviation of the noise on their coordinates.
    batch_noise_km : float
        The same for the places of the batch.
    """

    kind: Literal["queue", "gallery", "none"] = "queue"
    size: Count = 4096
    noise_km: NotNegative = 1.0
    batch_noise_km: NotNegative = 0.15


class OptimConfig(Part):
    """How weights are changed.

    Attributes
    ----------
    epochs, batch_size, accumulate : int
        Rounds through the photos; photos a process and step; batches a step.
    lr, weight_decay : float
        Of AdamW.
    schedule : {"step", "cosine", "constant"}
        ``step`` multiplies the rate with `gamma` after every epoch, as GeoCLIP did.
    gamma : float
    warmup_steps : int
        Over which the rate grows from zero.
    clip_norm : float, optional
        Largest length of the gradient.
    """

    epochs: Count = 10
    batch_size: Count = 512
    accumulate: Count = 1
    lr: Positive = 3e-5
    weight_decay: NotNegative = 1e-6
    schedule: Literal["step", "cosine", "constant"] = "step"
    gamma: Annotated[float, Field(gt=0.0, le=1.0)] = 0.87
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    clip_norm: Positive | None = None


class RunConfig(Part):
    """Where and how long training runs.

    Attributes
    ----------
    accelerator : {"auto", "cpu", "cuda", "mps"}
    devices, nodes : int
        Devices a node (``auto`` for all), and nodes.
    precision : {"32-true", "bf16-mixed"}
        Of the products; phases of the location encoder are never shortened.
    checkpoint_steps : int
        Steps between checkpoints; one is written after every epoch as well.
    patience : int, optional
        Epochs without a better validation score after which training ends.
    validation_places : int
        Places of the gallery that are searched for the validation score.
    log_steps : int
        Steps between lines of ``metrics.csv``.
    tensorboard : bool
        Write TensorBoard files too (package tensorboardX).
    """

    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: Count | Literal["auto"] = 1
    nodes: Count = 1
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    checkpoint_steps: Count = 1000
    patience: Count | None = None
    validation_places: Count = 10_000
    log_steps: Count = 10
    tensorboard: bool = False


class TrainConfig(Part):
    """All settings of a training run. Made by `read_config`.

    Attributes
    ----------
    name : str
        Of the model, and of its vector space where the location encoder changes.
    data : DataConfig
    model : str
        Bundled model or model folder that training starts from.
    seed : int
        Same seed, data, machine and settings: same model.
    image_head, location_encoder, places, concepts, negatives, optim, run
        See their classes.
    licence : str
        Of the trained weights; goes into the model card.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    data: DataConfig
    model: str = "geoclip"
    seed: Annotated[int, Field(ge=0)] = 0
    licence: str = "not stated"
    image_head: ImageHeadConfig = ImageHeadConfig()
    location_encoder: LocationEncoderConfig = LocationEncoderConfig()
    places: PlacesConfig = PlacesConfig()
    concepts: ConceptsConfig = ConceptsConfig()
    negatives: NegativesConfig = NegativesConfig()
    optim: OptimConfig = OptimConfig()
    run: RunConfig = RunConfig()

    @model_validator(mode="after")
    def _trains_something(self) -> TrainConfig:
        if self.places.loss == "none" and self.concepts.used == "none":
            raise ValueError("nothing to train on: places.loss and concepts.loss are both off")
        if self.places.loss in ("none", "geocells") and self.concepts.used == "seen":
            raise ValueError("concepts.loss: seen goes with places.loss: infonce, two-sided or smoothed")
        if self.places.loss == "geocells" and not self.location_encoder.frozen:
            raise ValueError("places.loss: geocells trains no location encoder: set location_encoder.frozen: true")
        return self


def read_config(path: str | PathLike[str], overrides: Iterable[str] = ()) -> TrainConfig | TeachConfig:
    """Read the settings of a training run from a YAML file.

    Parameters
    ----------
    path : path-like
        Paths in it are relative to its folder.
    overrides : iterable of str
        ``"optim.epochs=3"``: values that replace those of the file, as YAML.

    Returns
    -------
    TrainConfig or TeachConfig
        The latter where the file has the key ``teachers``: an encoder is then taught, and no photo is needed.

    Raises
    ------
    ConfigError
        The file is missing or no YAML, a key is unknown or missing, or a value is not what it must be; the message
        names the keys and their lines.

    Examples
    --------
    >>> read_config("configs/regional.yaml").optim.epochs                                   # doctest: +SKIP
    60
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not a text file in UTF-8") from None
    return parse_config(text, str(path), overrides, path.parent)


def parse_config(
    text: str, name: str = "config", overrides: Iterable[str] = (), folder: Path = Path()
) -> TrainConfig | TeachConfig:
    """Turn YAML into settings; see `read_config`.

    Parameters
    ----------
    text : str
        YAML.
    name : str
        What errors call it.
    overrides : iterable of str
        As in `read_config`.
    folder : pathlib.Path
        What relative paths start from.

    Returns
    -------
    TrainConfig or TeachConfig

    Raises
    ------
    ConfigError
        As `read_config`.

    Examples
    --------
    >>> parse_config("{name: mine, data: {train: shards}}").places.loss
    'infonce'
    >>> parse_config("{name: mine, data: {train: shards}, optim: {epoch: 3}}")
    Traceback (most recent call last):
    geoconcept_gis.errors.ConfigError: config, line 1: optim.epoch is not a setting; did you mean optim.epochs?
    """
    import yaml

    try:
        values = _load(text)
        lines = _lines(yaml.compose(text, Loader=yaml.SafeLoader), name)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{name} must hold settings, such as 'name: my-model'; it holds {type(values).__name__}")
    for override in overrides:
        _set(values, override)
    root = _root(values)
    try:
        config = root.model_validate(values)
    except ValidationError as error:
        found = (_describe(problem, name, lines, root) for problem in error.errors())
        raise ConfigError("; ".join(dict.fromkeys(found))) from None
    return _absolute(config, folder) if isinstance(config, TrainConfig) else config.absolute(folder)


def _root(values: dict[str, Any]) -> type[TrainConfig | TeachConfig]:
    """Tell what kind of run the settings are for."""
    from .teach.config import TeachConfig

    return TeachConfig if "teachers" in values else TrainConfig


def _set(values: dict[str, Any], override: str) -> None:
    """Put one ``key.key=value`` into the settings."""
    import yaml

    keys, equals, value = override.partition("=")
    *path, last = keys.strip().split(".")
    if not equals or not last:
        raise ConfigError(f"a setting is given as key=value, for example optim.epochs=3; got {override!r}")
    for key in path:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{override!r}: {key} holds a value, not settings")
        values = inner
    try:
        values[last] = _load(value)
    except yaml.YAMLError:
        raise ConfigError(f"{override!r}: {value!r} is not valid YAML") from None


def _load(text: str) -> Any:
    """Read YAML, in which ``3e-5`` is a number, as everybody means it, and not text, as YAML 1.1 has it."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
    )
    return yaml.load(text, Loader=Loader)


def _lines(node: Any, name: str, prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], int]:
    """Return the line of every key, by its path; refuse keys that stand twice, of which YAML would keep the last."""
    found: dict[tuple[str, ...], int] = {}
    if node is not None and node.id == "mapping":
        for key, value in node.value:
            path = (*prefix, str(key.value))
            line = key.start_mark.line + 1
            if path in found:
                raise ConfigError(
                    f"{name}, line {line}: {'.'.join(path)} stands there twice, first in line {found[path]}"
                )
            found[path] = line
            found |= _lines(value, name, path)
    return found


def _describe(problem: Mapping[str, Any], name: str, lines: dict[tuple[str, ...], int], root: type[BaseModel]) -> str:
    """Say in one sentence what is wrong with a key, and where."""
    path = tuple(str(part) for part in problem["loc"])
    if problem["type"] not in ("missing", "extra_forbidden"):
        path = path[: _depth(path, root)]  # pydantic adds the tried type of a union to the path
    where = next((f", line {lines[path[:end]]}" for end in range(len(path), 0, -1) if path[:end] in lines), "")
    key = ".".join(path)
    if problem["type"] == "extra_forbidden":
        return f"{name}{where}: {key} is not a setting{_did_you_mean(path, root)}"
    if problem["type"] == "missing":
        return f"{name}: {key} is missing"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{name}{where}: {message}"
    return f"{name}{where}: {key}: {message[0].lower()}{message[1:]}; got {problem['input']!r}"


def _depth(path: tuple[str, ...], root: type[BaseModel]) -> int:
    """Return how many parts of a path are settings."""
    part: Any = root
    for depth, key in enumerate(path):
        if key not in getattr(part, "model_fields", {}):
            return depth
        part = part.model_fields[key].annotation
    return len(path)


def _did_you_mean(path: tuple[str, ...], root: type[BaseModel]) -> str:
    import difflib

    part: Any = root
    for key in path[:-1]:
        part = part.model_fields[key].annotation
    close = difflib.get_close_matches(path[-1], part.model_fields, n=1)
    return f"; did you mean {'.'.join((*path[:-1], close[0]))}?" if close else ""


def _absolute(config: TrainConfig, folder: Path) -> TrainConfig:
    """Return the settings with paths that do not depend on where the command was started."""
    data = config.data

    def full(value: str | None) -> str | None:
        return None if value is None else str((folder / value).absolute())

    changed = {name: full(getattr(data, name)) for name in ("train", "coordinates", "weights")}
    if isinstance(data.validation, str):
        changed["validation"] = full(data.validation)
    concepts = config.concepts.model_copy(update={"seen": full(config.concepts.seen)})
    model = full(config.model) if config.model and (folder / config.model).is_dir() else config.model
    return config.model_copy(update={"data": data.model_copy(update=changed), "model": model, "concepts": concepts})
