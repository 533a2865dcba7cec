"""`geoconcept concepts` and `geoconcept info`: what is there, and where a file came from."""

from __future__ import annotations

import json
import platform
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .common import BackendOption, ModelOption, load, say

if TYPE_CHECKING:
    from ..concepts import Calibration, Concept, ConceptBank, PlaceHead, Validity
    from ..model import GeoConceptModel


def concepts(
    search: Annotated[
        str | None,
        typer.Argument(
            help="Only concepts whose name, alias, family or description has this text; a full name, or a .concept "
            "file, shows all that is known of it.",
            show_default=False,
        ),
    ] = None,
    family: Annotated[
        list[str] | None, typer.Option("--family", help="Only this family; repeat for more.", show_default=False)
    ] = None,
    grade: Annotated[
        str | None, typer.Option("--grade", metavar="A-D", help="Only these grades: A, or AB.", show_default=False)
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also those of grade D, hidden otherwise.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Full records as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="A table for a document, with those of grade D.")
    ] = False,
    model: ModelOption = None,
) -> None:
    """List the concepts with how well each was found in places it was not fitted on.

    AUROC: how often a place with the label scores above one without, in 10-degree blocks the fit never saw (0.5 is
    chance). Controls: the same measure where there should be less to find. Grade: A strong, B good, C weak, D no better
    than its control. A search finds those of grade D too.
    """
    from ..concept_files import is_concept_file, read_concept

    loaded = load(model, "numpy")
    bank = loaded.bank
    if search is not None and is_concept_file(search):
        exact: Concept | None = read_concept(search, loaded)
        found = [exact] if exact is not None else []
    else:
        found = _filter(loaded, search, family, grade)
        named = bank[search] if search is not None and search in bank else None
        exact = named if named in found else None
    reaches_all = show_all or as_markdown or search is not None or grade is not None
    hidden = [] if reaches_all else [concept for concept in found if concept.grade == "D"]
    chosen = [concept for concept in found if concept not in hidden]
    if as_json:
        typer.echo(json.dumps([concept.record() for concept in chosen], indent=1, ensure_ascii=False))
    elif as_markdown:
        typer.echo(markdown_table(chosen))
    else:
        if exact is not None:
            typer.echo(_card(exact))
        others = [concept for concept in chosen if concept is not exact]
        if search is None and not family and grade is None and sys.stdout.isatty():
            typer.echo(_overview(others))
            say("All about one: geoconcept concepts NAME. As a table: --family NAME or --grade A.")
        elif others:
            _print_tables(others)
        if others or hidden:
            say(_count(chosen, hidden))


def _filter(model: GeoConceptModel, search: str | None, family: list[str] | None, grade: str | None) -> list[Concept]:
    """Return the concepts that match all that is asked for, or mean nearly that; refuse to return none."""
    from ..concepts import slug

    bank = model.bank
    families = {slug(name): name for name in bank.families}
    wanted = None if not family else [families.get(slug(name), name) for name in family]  # whatever the case
    part = (search or "").lower()
    found = [
        concept
        for concept in bank.subset(families=wanted, grades=grade.upper() if grade else None)
        if part in " ".join((concept.name, concept.family, concept.description, *concept.aliases)).lower()
        or (search in bank and bank[search or ""] is concept)
    ]
    if not found and search is not None and not family and grade is None:
        found = _near(model, search)
    if not found:
        asked = " ".join([*(repr(search),) * bool(search), *(family or ()), grade or ""]).strip()
        raise InputError(f"no concept matches {asked}; `geoconcept concepts --all` lists all {len(bank)}")
    return found


def _near(model: GeoConceptModel, search: str) -> list[Concept]:
    """Return the concepts nearest in meaning; none where the words are not known."""
    from ..errors import ConceptError
    from ..text.concept import search_concepts

    try:
        names = search_concepts(search, model=model, top=5)["name"]
    except ConceptError:
        return []
    say(f"no concept is named {search!r}; nearest by meaning:")
    return [model.bank[name] for name in names]


def _count(chosen: list[Concept], hidden: list[Concept]) -> str:
    """Say how many concepts there are, and how to see those that are not shown."""
    families = len({concept.family for concept in chosen})
    text = f"{len(chosen)} concept{'s' * (len(chosen) != 1)} in {families} famil{'y' if families == 1 else 'ies'}"
    if hidden:
        return f"{text}; {len(hidden)} of grade D {'is' if len(hidden) == 1 else 'are'} hidden: --all"
    weak = sum(concept.grade == "D" for concept in chosen)
    return f"{text}; {weak} of grade D: no better than {'its' if weak == 1 else 'their'} control" if weak else text


def _overview(concepts: list[Concept]) -> str:
    """Return all names, a paragraph for every family and grade, as wide as the window."""
    width = min(_window_width(), 120)
    lines = []
    for family in dict.fromkeys(concept.family for concept in concepts):
        members = [concept for concept in concepts if concept.family == family]
        lines.append(typer.style(family, bold=True) + f"  {len(members)}")
        for grade in sorted({concept.grade or "" for concept in members}):
            names = [concept.name for concept in members if (concept.grade or "") == grade]
            # A name is not broken across lines.
            text = ", ".join(name.replace(" ", _HELD) for name in names)
            wrapped = textwrap.wrap(text, width - 4, break_on_hyphens=False, break_long_words=False)
            for k, line in enumerate(wrapped):
                lines.append(f"  {grade if k == 0 else '':1} {line.replace(_HELD, ' ')}")
        lines.append("")
    return "\n".join(lines)


#: Stands for a space that must not become a line's end: the no-break space.
_HELD = "\u00a0"


def _window_width() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _card(concept: Concept) -> str:
    """Return all that is known of one concept, a line or two each."""
    rows = {
        "meaning": concept.description,
        "aliases": ", ".join(concept.aliases),
        "family": concept.family,
        "grade": _grade_text(concept.grade),
        **_tested(concept.validity),
        "at places": _at_places(concept.head),
        "fails": concept.failure,
        **_calibrated(concept.calibration),
        "reference": concept.reference.replace("_", " "),
        "scale": "{:g} to {:g} km or more".format(*concept.scale_km),
        **concept.provenance,
        "licence": concept.licence,
    }
    wide = max(map(len, rows)) + 2
    width = max(min(_window_width(), 120) - wide - 2, 40)
    lines = [typer.style(concept.name, bold=True)]
    for key, value in rows.items():
        parts = textwrap.wrap(value, width, break_long_words=False, break_on_hyphens=False)
        lines += [f"  {key if k == 0 else '':{wide}}{part}" for k, part in enumerate(parts)]
    return "\n".join([*lines, ""])


def _tested(validity: Validity | None) -> dict[str, str]:
    if validity is None:
        return {"held-out": "untested"}
    interval = " (95 % interval {:.3f} to {:.3f})".format(*validity.interval) if validity.interval else ""
    folds = f", {validity.folds}" if validity.folds else ""
    return {
        "held-out": f"{validity.metric} {validity.value:.3f}{interval}{folds}",
        "controls": ", ".join(f"{name} {value:.3f}" for name, value in validity.controls.items()),
        "places": f"{validity.n_positive:,} with the label, {validity.n_negative:,} without",
        "told from": validity.negatives,
    }


def _at_places(head: PlaceHead | None) -> str:
    if head is None:
        return "the same"
    text = f"{head.validity.metric} {head.validity.value:.3f}, grade {head.grade}"
    return f"{text}: read off the encoder's hidden layers; photos, words and stored embeddings as above"


def _calibrated(calibration: Calibration | None) -> dict[str, str]:
    rows = {}
    if calibration is not None and calibration.prevalence is not None:
        rows["prevalence"] = f"{calibration.prevalence:.2%} of the reference places carry the label"
    if calibration is not None and calibration.ece is not None:
        rows["calibrated"] = f"within {calibration.ece:.3f} on average"
    return rows


def _grade_text(grade: str | None) -> str:
    from ..concepts.concept import GRADES

    return f"{grade}: {GRADES[grade]}" if grade else ""


def _controls(concepts: list[Concept]) -> list[str]:
    """Return the names of all controls, in the order in which they first appear."""
    return list(dict.fromkeys(name for c in concepts if c.validity for name in c.validity.controls))


def _headers(controls: list[str]) -> tuple[str, ...]:
    return ("grade", "concept", "alias", "held-out", "95 % interval", *controls, "meaning")


def _cells(concept: Concept, controls: list[str]) -> tuple[str, ...]:
    validity = concept.validity
    alias = concept.aliases[0] if concept.aliases else ""
    tested, interval, values = "untested", "", dict.fromkeys(controls, "")
    if validity is not None:
        tested = f"{validity.metric} {validity.value:.3f}"
        interval = "-".join(f"{value:.3f}" for value in validity.interval) if validity.interval else ""
        values |= {name: f"{value:.3f}" for name, value in validity.controls.items()}
    return (concept.grade or "", concept.name, alias, tested, interval, *values.values(), concept.description)


def markdown_table(concepts: list[Concept]) -> str:
    """Return the concepts as a Markdown table, one row each."""
    controls = _controls(concepts)
    rows = [("family", *_headers(controls))]
    rows += [("---",) * len(rows[0])]
    rows += [(concept.family, *_cells(concept, controls)) for concept in concepts]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _print_tables(concepts: list[Concept]) -> None:
    """Print one table a family, as wide as the window allows; pipes get every column in full."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console.width = 1000
    controls = _controls(concepts)
    headers = _headers(controls)
    narrow = console.width < 130
    columns = [k for k, name in enumerate(headers) if not (narrow and name in ("alias", "95 % interval", *controls))]
    for family in dict.fromkeys(concept.family for concept in concepts):
        table = Table(title=escape(family), title_justify="left", box=None, header_style="bold", pad_edge=False)
        for k in columns:
            table.add_column(headers[k], no_wrap=headers[k] != "meaning")
        for concept in concepts:
            if concept.family == family:
                cells = _cells(concept, controls)
                table.add_row(*(escape(cells[k]) for k in columns))
        console.print(table)
        console.print()


def info(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A file or folder this package wrote: prints where it came from, and whether the model is at hand.",
            show_default=False,
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Exit with 1 unless the model here has the sha256 that the file names.")
    ] = False,
    model: ModelOption = None,
    backend: BackendOption = "auto",
) -> None:
    """Show the version, the model and the backends, or the provenance of a file."""
    if file is None:
        if verify:
            raise InputError("--verify checks a file's provenance: name the file")
        _print_record(_of_installation(model, backend))
        return
    from ..provenance import check_model, read_provenance

    record = read_provenance(file)
    if not record:
        raise InputError(f"{file} carries no geoconcept provenance")
    check = check_model(record, model)
    _print_record(
        {key: _shortened(value) for key, value in record.items()} | {"model check": f"{check.verdict}: {check.message}"}
    )
    if verify and check.verdict != "match":
        raise InputError(f"{file}: {check.message}")


def _print_record(record: dict[str, str]) -> None:
    width = max(map(len, record))
    for key, value in record.items():
        typer.echo(f"{key:{width}}  {value}")


def _shortened(value: str) -> str:
    return value if len(value) <= 200 else f"{value[:60]}... ({len(value):,} characters)"


def _of_installation(model: str | None, backend: str) -> dict[str, str]:
    from .._version import __version__
    from ..backends import available

    loaded = load(model, backend)
    bank = loaded.bank
    return {
        "geoconcept": f"{__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})",
        "model": f"{loaded.name} in {loaded.folder}",
        "sha256": loaded.sha256,
        "space": loaded.space,
        "licence": str(loaded.config.get("licence", "unknown")),
        "scale": f"{loaded.scale_km[0]:g} to {loaded.scale_km[1]:g} km",
        "concepts": f"{len(bank)} in {len(bank.families)} families: {', '.join(bank.families)}",
        "grades": _grade_counts(bank),
        "bank sha256": loaded.bank_sha256,
        "backends": ", ".join(f"{name}{'' if usable else ' (not installed)'}" for name, usable in available().items()),
        "backend": f"{loaded.backend}"
        + (" for small jobs; the fastest exact-enough one for large" if backend == "auto" else ""),
    }


def _grade_counts(bank: ConceptBank) -> str:
    """Write for example ``120 A, 90 B, 48 C, 23 D (hidden)``."""
    from collections import Counter

    counts = Counter(concept.grade or "ungraded" for concept in bank)
    return ", ".join(f"{counts[grade]} {grade}{' (hidden)' * (grade == 'D')}" for grade in sorted(counts))
