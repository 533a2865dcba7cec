"""`geoconcept train`: a model of your own, from photos whose places are known."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigError
from .common import progress_bar, say, short_warnings

if TYPE_CHECKING:
    from ..progress import Progress


def train(
    config: Annotated[Path, typer.Argument(help="YAML file with the settings; docs/training.md.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for all that it leaves.", show_default="runs/NAME")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "-s",
            metavar="KEY=VALUE",
            help="Replace a setting: optim.epochs=3; repeat for more.",
            show_default=False,
        ),
    ] = None,
    ablate: Annotated[
        int | None,
        typer.Option(
            "--ablate",
            metavar="STEPS",
            min=1,
            help="No model, but short runs: without each teacher and each source. Settings with teachers only.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train image head, location encoder and concepts on photos whose places are known.

    Settings with the key teachers train a location encoder alone, without photos.

    Stop it with Ctrl-C and give the same command again: it goes on where it was.

    Example: geoconcept features photos/ --coordinates photos.csv -o shards && geoconcept train regional.yaml
    """
    from ..train import TrainConfig, read_config
    from ..train import train as train_on_photos
    from ..train.teach.ablation import ablate as ablate_teachers
    from ..train.teach.run import teach_model

    settings_read = read_config(config, settings or ())
    folder = Path("runs") / settings_read.name if out is None else out
    if ablate is not None and isinstance(settings_read, TrainConfig):
        raise ConfigError(f"--ablate leaves out one teacher at a time: {config} has no key teachers")
    with progress_bar("training", "steps") as bar, _stop_between_steps(bar) as progress, short_warnings():
        if ablate is not None and not isinstance(settings_read, TrainConfig):
            say(f"{ablate_teachers(settings_read, folder, ablate, progress=progress)}: what each is worth")
            return
        if isinstance(settings_read, TrainConfig):
            model = train_on_photos(settings_read, folder, progress=progress)
        else:
            model = teach_model(settings_read, folder, progress=progress)
    if (folder / "evaluation.md").is_file():
        say(
            f"{folder / 'evaluation.md'}: how well held-out photos are placed; {folder / 'concepts.md'}: their concepts"
        )
    if (folder / "report.md").is_file():
        say(f"{folder / 'report.md'}: what was learnt, with curves and maps")
    say(f'{model}: the model; open it with geoconcept_gis.load_model("{model}") or --model {model}')


@contextmanager
def _stop_between_steps(progress: Progress) -> Iterator[Progress]:
    """Let Ctrl-C and a polite kill end the run after its step, with a checkpoint; the second one at once."""
    asked = threading.Event()

    def ask(number: int, _: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        say("stopping after this step, with a checkpoint; once more to stop at once")

    def show(done: int, total: int) -> bool:
        progress(done, total)
        return asked.is_set()

    old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield show
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
