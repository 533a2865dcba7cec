"""Location encoders side by side in one run: photos and words to countries, concepts, regressors, words, seams, speed.

    GEOCONCEPT_DATA=path/to/data python benchmarks/own_encoder.py --models geoclip geoconcept-base geoconcept-small \\
        [--untaught NAME=FOLDER] [--held NAME=FOLDER] [--tower MODEL=FOLDER] [--part photos ...] [--save]

The first model is the one to beat. ``--untaught`` adds a model that was taught without the sources near to the tasks,
for the downstream rows alone; ``--held`` one that was taught with ``teachers.held_blocks=true``, for the concepts.
``--tower`` names a model's text tower that was built with ``geoconcept text build --hold-out``: words are measured with
it. Each bar is met, or short by so much. Some 20 minutes on two cores.
"""

import argparse
import time

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits

try:
    from benchmarks import words as words_benchmark
    from benchmarks.downstream import both
    from benchmarks.downstream_tasks import load_tasks
    from benchmarks.locate import FLOORS, RERANKS, TEMPERATURES, Countries, held_out_choice, loss, units
    from benchmarks.machine import machine, page_of
except ModuleNotFoundError:  # run as a script: this folder itself is on the path
    import words as words_benchmark
    from downstream import both
    from downstream_tasks import load_tasks
    from locate import FLOORS, RERANKS, TEMPERATURES, Countries, held_out_choice, loss, units
    from machine import machine, page_of

from geoconcept_gis import load_model
from geoconcept_gis.bank.build import choose_places
from geoconcept_gis.bank.definitions import FAMILIES, definitions
from geoconcept_gis.bank.sources import Truths, countries, country_codes, data_folder, gallery_places
from geoconcept_gis.bank.universe import open_universe
from geoconcept_gis.fitting import weighted_auroc
from geoconcept_gis.locate.density import Calibration
from geoconcept_gis.logistic import balanced, fit_logistic
from geoconcept_gis.reference import reference_places
from geoconcept_gis.text.tower import BundledTower
from geoconcept_gis.train.teach.blocks import in_held_blocks
from geoconcept_gis.train.teach.report import continuity as cosines_at_a_kilometre

GALLERY = 40_000


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["geoclip", "geoconcept-base", "geoconcept-small"])
    parser.add_argument("--held", nargs="*", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--untaught", nargs="*", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--tower", nargs="*", default=[], metavar="MODEL=FOLDER")
    parser.add_argument("--rows", type=int, default=4_000, help="of each downstream task, at most")
    parser.add_argument("--part", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--save", action="store_true", help="write the page to benchmarks/results/")
    arguments = parser.parse_args()
    found = machine()
    models = {name.rstrip("/").rsplit("/", 1)[-1]: load_model(name, backend="numpy") for name in arguments.models}
    lines = [
        f"# Location encoders side by side, on {found['cpu']}",
        "",
        f"Measured {found['date']} by `benchmarks/own_encoder.py`, {found['cores']} cores, load before "
        f"{found['load_before']}.",
        "",
        "| model | encoder | MFLOP a place | MB | sha256 |",
        "| --- | --- | --: | --: | --- |",
        *(
            f"| {name} | {model.encoder.kind} | {megaflop(model.encoder):.2f} | {megabytes(model):.1f} "
            f"| {model.sha256[:12]} |"
            for name, model in models.items()
        ),
    ]
    print("\n".join(lines), flush=True)
    sections = {}
    for name in arguments.part:
        started = time.perf_counter()
        sections[name] = "\n".join([*PARTS[name](models, arguments), "", f"({time.perf_counter() - started:.0f} s)"])
        print(f"\n{sections[name]}", flush=True)
    if arguments.save:
        save(page_of("own-encoder", found["cpu"]), lines, sections)


def save(path, head, sections):
    """Write the page; parts that were not measured now stay as they are where the encoders are the same."""
    old = path.read_text(encoding="utf-8").rstrip("\n").split("\n\n## ") if path.is_file() else [""]
    same = old[0].splitlines()[4:] == head[4:]
    kept = {part.splitlines()[0]: f"## {part}" for part in old[1:]} if same else {}
    now = {text.splitlines()[0].removeprefix("## "): text for text in sections.values()}
    order = [*dict.fromkeys([*kept, *now])]
    path.write_text("\n\n".join(["\n".join(head), *(now.get(t, kept.get(t)) for t in order)]) + "\n", encoding="utf-8")


def megaflop(encoder):
    """Products and sums of the layers and of the waves, for one place; reading tables is left out."""
    weights = encoder.weights
    shapes = [w.shape for n, w in weights.items() if w.ndim == 2 and not n.startswith("tables.")]
    return 2e-6 * sum(rows * columns for rows, columns in shapes)


def megabytes(model):
    """Of the encoder's file."""
    return (model.folder / "location_encoder.safetensors").stat().st_size / 1e6


def verdict(ok, short):
    """Met, or short by so much."""
    return "met" if ok else f"short by {short}"


def columns(models, *, first="task"):
    """Head of a table with a column a model."""
    return [f"| {first} | " + " | ".join(models) + " |", "| --- |" + " --: |" * len(models)]


# ---------------------------------------------------------------- photos and sentences


def photos(models, arguments):
    """country@1 of real CLIP vectors: the best place of the gallery, and the posterior with concept re-ranking."""
    codes = country_codes(data_folder())
    places = gallery_places()[:GALLERY]
    country = np.array([codes.get(name, "") for name in Truths(places, data_folder()).country()])
    labels = np.load(data_folder() / "clip" / "clip_vitl14_country_vectors.npz")
    rows, right = {}, {}
    for name, model in models.items():
        gallery = unit(model.encode(places))
        for kind in ("text", "image"):
            nearest = country[(units(model, kind) @ gallery.T).argmax(axis=1)]
            rows[name, kind, "best"] = float(np.mean(nearest == labels[f"{kind}_country"]))
            for how, (truth, chances) in reranked(model, kind).items():
                right[name, kind, how] = chances.argmax(axis=1) == truth
                rows[name, kind, how] = float(right[name, kind, how].mean())
                rows[name, kind, f"{how} loss"] = loss(chances, truth)
    first, *others = models
    lines = [
        "## Countries of photos and sentences",
        "",
        f"Real CLIP ViT-L/14 vectors through the model's image head: country of the best of {GALLERY:,} places where "
        "photos were taken; most likely country of the posterior; the same with agreement in concept space. "
        "Temperature, floor and weight are chosen on the other folds. -log p: of the true country, less is better.",
        "",
        *columns(models, first="vectors, by"),
    ]
    told = {
        "best": "best place",
        "posterior": "posterior",
        "posterior loss": "posterior, -log p",
        "reranked": "posterior, re-ranked by concepts",
        "reranked loss": "re-ranked, -log p",
    }
    for kind in ("text", "image"):
        for how, what in told.items():
            lines.append(f"| {kind}, {what} | " + " | ".join(f"{rows[n, kind, how]:.3f}" for n in models) + " |")
    for name in others:
        for kind in ("text", "image"):
            fall = rows[first, kind, "best"] - rows[name, kind, "best"]
            lines += ["", f"{name}, {kind}: at most .010 below {first} by best place: "
                      + verdict(fall <= 0.01, f"{fall - 0.01:.3f}")]  # fmt: skip
            fall = rows[first, kind, "reranked"] - rows[name, kind, "reranked"]
            lines[-1] += "; not below with re-ranking: " + verdict(fall <= 0, f"{fall:.3f}")
            theirs, ours = right[first, kind, "reranked"], right[name, kind, "reranked"]
            lost, won = int((theirs & ~ours).sum()), int((ours & ~theirs).sum())
            lines[-1] += (
                f" (of {len(ours)} right with {first} alone {lost}, with {name} alone {won}: sign test "
                f"p = {binomtest(won, max(won + lost, 1)).pvalue:.2f})."
            )
    return lines


def reranked(model, kind):
    """Truth and chance of each country, held out: without, and with agreement in concept space."""
    data = Countries(model, kind)
    plain, agreement = {t: data.likelihood(t) for t in TEMPERATURES}, data.agreement()
    found = {}
    for how, weights in (("posterior", (0.0,)), ("reranked", RERANKS)):
        chances = {
            (t, f, w): data.of(plain[t] + w * agreement, Calibration(t, f))
            for t in TEMPERATURES for f in FLOORS for w in weights
        }  # fmt: skip
        found[how] = data.truth, held_out_choice(chances, data.truth)
    return found


def unit(x):
    """Rows of length one."""
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# ---------------------------------------------------------------- concepts


def concepts(models, arguments):
    """Mean AUROC of each model's own bank in blocks that its fit did not see."""
    tables = {
        name: pd.DataFrame(
            [(c.name, c.family, c.validity.value) for c in model.bank], columns=["name", "family", "auroc"]
        )
        for name, model in models.items()
        if all(c.validity is not None for c in model.bank)  # a carried bank has none
    }
    names = set.intersection(*(set(table.name) for table in tables.values()))
    means = {n: t[t.name.isin(names)].groupby("family").auroc.mean() for n, t in tables.items()}
    lines = [
        "## Concepts",
        "",
        f"Mean AUROC of the {len(names)} concepts of each model's own bank, fitted by `geoconcept bank build`, in "
        "blocks of the globe that the fit did not see (the encoders that were taught labels have seen them there).",
        "",
        *columns(tables, first="family"),
    ]
    for family in FAMILIES:
        lines.append(f"| {family} | " + " | ".join(f"{means[name][family]:.4f}" for name in tables) + " |")
    lines += [
        f"\n{name}: its bank was carried over, and nothing was measured." for name in models if name not in tables
    ]
    first, *others = tables
    for name in others:
        behind = [
            f"{f} by {means[first][f] - means[name][f]:.4f}" for f in FAMILIES if means[name][f] <= means[first][f]
        ]
        lines += [
            "",
            f"{name}, higher in every family: " + ("met." if not behind else f"short in {', '.join(behind)}."),
        ]
    return lines


# ---------------------------------------------------------------- concepts where truths were held back

#: Examples of either class that a fit sees, and the fewest of either that a test needs.
MOST, FEWEST = 3_000, 20
STRENGTH = 0.1


def held(models, arguments):
    """Mean AUROC in the blocks whose truths an encoder was not taught, of fresh fits outside of them."""
    first = next(iter(models))
    pupils = dict(one.split("=", 1) for one in arguments.held)
    lines = ["## Concepts where truths were held back", ""]
    if not pupils:
        return [*lines, "Not measured: no encoder that was taught with `teachers.held_blocks=true` was given."]
    everyone = {first: models[first], **{name: load_model(folder, backend="numpy") for name, folder in pupils.items()}}
    wanted, found = definitions(countries(data_folder())), {}
    with threadpool_limits(1):
        for name, model in everyone.items():
            for universe in dict.fromkeys(one.universe for one in wanted):
                places, choices = choose_places(
                    open_universe(universe, data_folder(), model.encode),
                    [one for one in wanted if one.universe == universe],
                )
                embedded = places.embedded()
                away = in_held_blocks(embedded.lonlat)
                for one, choice in choices:
                    value = auroc_away(embedded.examples(choice), away[choice.rows])
                    if value is not None:
                        found[name, one.family, one.name] = value
    table = pd.Series(found).groupby(level=[0, 1]).agg(["mean", "size"])
    lines += [
        f"Mean AUROC in one block of 10 by 10 degrees in five, of concepts with {FEWEST} places of either kind there: "
        f"fresh logistic fits (C = {STRENGTH:g}, at most {MOST:,} places of either kind) outside of these blocks. "
        f"{', '.join(pupils)}: taught no truth from these blocks.",
        "",
        *columns({"concepts": None, **everyone}, first="family"),
    ]
    behind = {name: [] for name in pupils}
    for family in FAMILIES:
        if (first, family) in table.index:
            means = {name: table.loc[name, family]["mean"] for name in everyone}
            count = int(table.loc[first, family]["size"])
            lines.append(f"| {family} | {count} | " + " | ".join(f"{mean:.4f}" for mean in means.values()) + " |")
            for name in pupils:
                if means[name] <= means[first]:
                    behind[name].append(f"{family} by {means[first] - means[name]:.4f}")
    for name, short in behind.items():
        lines += ["", f"{name}, higher in every family: {verdict(not short, ', '.join(short))}."]
    return lines


def auroc_away(examples, away):
    """AUROC of a concept in held blocks, fitted elsewhere; None where there is too little of it."""
    y = examples.y
    if min((y & away).sum(), (~y & away).sum(), (y & ~away).sum()) < FEWEST:
        return None
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.permutation(np.flatnonzero(one & ~away))[:MOST] for one in (y, ~y)])
    fit = fit_logistic(examples.x[rows], y[rows], balanced(y[rows]), STRENGTH)
    scores = examples.x[away] @ fit.normal.astype(np.float32)
    return float(weighted_auroc(scores, y[away], [examples.weight[away]])[0])


# ---------------------------------------------------------------- regressors


def downstream(models, arguments):
    """Ridge on the 512 numbers, both protocols of downstream.py."""
    untaught = dict(one.split("=", 1) for one in arguments.untaught)
    everyone = {**models, **{name: load_model(folder, backend="numpy") for name, folder in untaught.items()}}
    tasks = load_tasks(data_folder(), arguments.rows)
    found = {}
    with threadpool_limits(1):
        for task in tasks:
            for name, model in everyone.items():
                found[task.name, name] = both(model.encode(task.lonlat).astype(np.float64), task)
    lines = [
        "## Regressors",
        "",
        "Ridge regression on the 512 numbers alone, as in `downstream.py`: R2, or accuracy for classes."
        + (f" Taught without the truths that are near to tasks: {', '.join(untaught)}." if untaught else ""),
    ]
    first = next(iter(models))
    for k, protocol in enumerate(("random", "blocks")):
        lines += ["", *columns(everyone, first=protocol)]
        for task in tasks:
            lines.append(f"| {task.name} | " + " | ".join(f"{found[task.name, n][k]:.3f}" for n in everyone) + " |")
    for name in everyone:
        behind = [
            f"{task.name} ({protocol}) by {found[task.name, first][k] - found[task.name, name][k]:.3f}"
            for k, protocol in enumerate(("random", "blocks"))
            for task in tasks
            if found[task.name, name][k] <= found[task.name, first][k]
        ]
        if name != first:
            lines += ["", f"{name}, ahead of {first} on every task in both: "
                      + ("met." if not behind else f"short on {', '.join(behind)}.")]  # fmt: skip
    return lines


# ---------------------------------------------------------------- words


def words(models, arguments):
    """The words benchmark with every model's own tower, built without its phrases."""
    towers = dict(one.split("=", 1) for one in arguments.tower)
    found, worst = {}, {}
    common = np.array([one.common for one in words_benchmark.GEOGRAPHIC])
    texts = [one.text for one in words_benchmark.GEOGRAPHIC]
    for name in towers:
        model, tower = models[name], BundledTower.load(towers[name])
        if not tower.record.get("hold_out") or tower.space != model.space:
            raise SystemExit(f"{towers[name]} is no tower of {name} that was built with --hold-out")
        z, labels, _ = words_benchmark.land(model, words_benchmark.SEED)
        values = words_benchmark.aurocs(z @ words_benchmark.read(tower.encode, texts, z.shape[1]).T, labels)
        found[name], worst[name] = values.mean(), values[common].min()
    lines = ["## Words", ""]
    if not towers:
        return [*lines, "Not measured: no tower that was built with --hold-out was given."]
    lines += [
        f"Mean AUROC of {len(texts)} phrases that no tower was trained on, as in `words.py`.",
        "",
        *columns(towers, first=""),
        "| mean | " + " | ".join(f"{found[n]:.4f}" for n in towers) + " |",
        "| worst common word | " + " | ".join(f"{worst[n]:.3f}" for n in towers) + " |",
    ]
    first = next(iter(models))
    for name in [n for n in towers if n != first and first in towers]:
        fall = found[first] - found[name]
        lines += ["", f"{name}, no lower than {first}: {verdict(fall <= 0, f'{fall:.4f}')}."]
    return lines


# ---------------------------------------------------------------- seam and poles


def continuity(models, arguments):
    """Cosine of places a kilometre apart, across the antimeridian, across the poles, and elsewhere."""
    found = {name: cosines_at_a_kilometre(model.encode) for name, model in models.items()}
    lines = [
        "## Seam and poles",
        "",
        "Cosine of the vectors of two places 1 km apart, some 5,000 pairs each: least, and mean.",
        "",
        *columns(models, first="across"),
    ]
    for what in next(iter(found.values())):
        cells = [f"{found[name][what].min():.5f}, {found[name][what].mean():.5f}" for name in models]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    for name in list(models)[1:]:
        worst = min(cosines.min() for what, cosines in found[name].items() if what != "elsewhere")
        lines += [
            "",
            f"{name}, at least .999 across seam and poles: {verdict(worst >= 0.999, f'{0.999 - worst:.5f}')}.",
        ]
    return lines


# ---------------------------------------------------------------- speed


def speed(models, arguments):
    """Places a second with numpy, in turn, best of five; and the same bytes twice."""
    lonlat = reference_places("uniform_land", 40_000, seed=8)
    rates = {}
    for _ in range(5):
        for name, model in models.items():
            some = lonlat[:8_000] if name == next(iter(models)) else lonlat
            start = time.perf_counter()
            model.encode(some)
            rates[name] = max(rates.get(name, 0.0), len(some) / (time.perf_counter() - start))
    same = {name: bool((m.encode(lonlat[:5_000]) == m.encode(lonlat[:5_000])).all()) for name, m in models.items()}
    first = next(iter(models))
    lines = [
        "## Speed",
        "",
        "Numpy, all cores, `model.encode`, the models in turn, best of five.",
        "",
        *columns(models, first=""),
        "| places a second | " + " | ".join(f"{rates[name]:,.0f}" for name in models) + " |",
        f"| times {first} | " + " | ".join(f"{rates[name] / rates[first]:.1f}" for name in models) + " |",
        "| the same bytes twice | " + " | ".join("yes" if same[name] else "no" for name in models) + " |",
    ]
    for name in list(models)[1:]:
        if "small" in name:
            ok, short = rates[name] >= 100_000, f"{100_000 - rates[name]:,.0f}"
            lines += ["", f"{name}, at least 100,000 places a second: {verdict(ok, short)}."]
        else:
            ratio = rates[name] / rates[first]
            lines += ["", f"{name}, at least 8 times {first}: {verdict(ratio >= 8, f'{8 - ratio:.1f}')}."]
    return lines


PARTS = {
    "photos": photos,
    "concepts": concepts,
    "held": held,
    "downstream": downstream,
    "words": words,
    "continuity": continuity,
    "speed": speed,
}

if __name__ == "__main__":
    main()
