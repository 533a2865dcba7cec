"""`geoconcept features`: photos through a frozen tower, kept for training."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import Cancelled, InputError, MissingDependencyError, ModelFileError
from .common import progress_bar, say, short_warnings

if TYPE_CHECKING:
    from ..train.photos import Photos
    from ..train.shards import FeatureShards

_SHOWN = 10


def features(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTOS...",
            help='A folder of photos, or WebDataset .tar files: paths, or a pattern in quotes, "train-{000..012}.tar".',
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder for the features; run again to go on with it.", show_default=False),
    ],
    coordinates: Annotated[
        Path | None,
        typer.Option(
            "--coordinates",
            help="Table that names the photos and says where they were taken.",
            show_default="the folder's own table; key.json in .tar files",
        ),
    ] = None,
    exif: Annotated[
        bool, typer.Option("--exif", help="Take the positions from the photos' own EXIF instead of a table.")
    ] = False,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="COLUMN", help="Who took each photo.", show_default="AUTHOR or the like"),
    ] = None,
    tower: Annotated[
        Literal["clip", "weak"], typer.Option("--tower", help="What reads photos; weak, offline, for trials only.")
    ] = "clip",
    weights: Annotated[Path | None, typer.Option("--weights", help="CLIP's weights.", show_default=False)] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch CLIP's weights first if they are missing; asks before it does.")
    ] = False,
    views: Annotated[
        int, typer.Option("--views", min=1, help="Views a photo: one as it is, the others cut and coloured by chance.")
    ] = 1,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Views that go through the tower at once.")
    ] = 32,
    shard_size: Annotated[
        int, typer.Option("--shard-size", min=1, help="Photos a file; at most so many are read again after a stop.")
    ] = 4096,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Decides the views.")] = 0,
) -> None:
    """Put photos through a frozen image tower once and keep its features, which training then reads.

    Stopped at any moment, the same command goes on where it was. Photos that cannot be read or have no place are
    listed at the end and in manifest.json.

    Examples: geoconcept features photos/ --coordinates photos.csv -o shards --views 4;
    geoconcept features "mp16-{000..125}.tar" -o shards
    """
    from ..train.features import cache_features
    from ..train.photos import open_photos

    what: Any = photos[0] if len(photos) == 1 else photos
    with progress_bar("reading positions", "photos") as progress:
        try:
            found = open_photos(what, coordinates=coordinates, exif=exif, group=group, progress=progress)
        except InputError as error:
            raise type(error)(_spelled(str(error))) from error
    _announce(found)
    reader = _tower(tower, weights, download)
    begun = time.monotonic()
    with progress_bar("reading photos", "photos") as progress:
        try:
            shards = cache_features(
                found,
                out,
                tower=reader,
                views=views,
                batch_size=batch_size,
                shard_rows=shard_size,
                seed=seed,
                progress=progress,
            )
        except InputError as error:
            raise type(error)(
                str(error).replace("shard_rows", "--shard-size").replace("batch_size", "--batch-size")
            ) from error
        except KeyboardInterrupt:
            raise Cancelled(f"stopped; finished shards stay in {out}, and the same command goes on with them") from None
    _summarise(shards, time.monotonic() - begun)


def _announce(found: Photos) -> None:
    left = f"; {len(found.left_out):,} left out" if found.left_out else ""
    say(f"{len(found):,} photos with a place{left}")
    for note in found.notes:
        say(f"note: {note}")


def _tower(name: str, weights: Path | None, download: bool) -> Any:
    if name == "weak":
        from ..towers.weak import WeakTower

        with short_warnings():
            return WeakTower.load()
    from ..towers.clip import DOWNLOAD, load_clip

    if download:
        typer.confirm(f"{DOWNLOAD} Fetch it?", abort=True, err=True)
    try:
        with short_warnings():
            return load_clip(weights, download=download)
    except (ModelFileError, MissingDependencyError) as error:
        spelled = (
            str(error)
            .replace("weights=PATH", "--weights PATH")
            .replace("download=True, which", "--download, which asks, then")
        )
        raise type(error)(f"{spelled}. To try the command without CLIP: --tower weak, which works offline") from error


def _spelled(message: str) -> str:
    """Write arguments as this command's options."""
    return message.replace("coordinates=FILE", "--coordinates FILE").replace("exif=True", "--exif")


def _summarise(shards: FeatureShards, seconds: float) -> None:
    size = sum(path.stat().st_size for path in shards.folder.iterdir())
    views = "1 view" if shards.views == 1 else f"{shards.views} views"
    typer.echo(
        f"{shards.folder}: {len(shards):,} photos, {views} of {shards.dim} numbers each, by {shards.tower['name']}"
    )
    files = len(shards.manifest["shards"])
    typer.echo(f"{files:,} {'shard' if files == 1 else 'shards'}, {size / 1e6:,.2f} MB, {seconds:,.1f} s")
    failures = shards.failures
    if failures:
        typer.echo(f"{len(failures):,} not in it:")
        for one in failures[:_SHOWN]:
            typer.echo(f"  {one['path']}: {one['reason']}")
        if len(failures) > _SHOWN:
            typer.echo(f"  and {len(failures) - _SHOWN:,} more, all in {shards.folder / 'manifest.json'}")
