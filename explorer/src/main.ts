// Put the parts together: one thing on the map, one place asked for, and the address that says both.

import "./style.css";
import { ConceptPanel } from "./concepts";
import { attempt, button, byId, el, later, say, spellPlace } from "./dom";
import { FilePanel } from "./files";
import { Legend } from "./legend";
import { WorldMap } from "./map";
import { OwnPanel } from "./own";
import { read } from "./paint";
import { PlacePanel } from "./places";
import { openSource, type Source, unpacked } from "./source";
import { readState, spellState, type State } from "./state";
import { makeTabs, type Tab } from "./tabs";
import type { Asked, Bounds, Concept, Grid, Located, Pair, World } from "./types";

/** Milliseconds between looks at whether the world has become finer. */
const LOOK = 1200;
/** Cells of a view, at most; the server refuses some more. */
const VIEW_CELLS = 8000;

class App {
  private readonly state: State;
  private readonly legend: Legend;
  private readonly concepts: ConceptPanel;
  private readonly places: PlacePanel;
  private readonly files: FilePanel | null;
  private readonly own: OwnPanel | null;
  private readonly showTab: (id: string) => void;
  private world: World | null = null;
  private view: Grid | null = null;
  private heat: Grid | null = null;
  private asking = new AbortController();
  private viewing = new AbortController();

  constructor(private readonly source: Source, private readonly map: WorldMap, state: State) {
    this.state = state;
    const { live, start } = source;
    this.legend = new Legend(start, state.smooth, (smooth) => this.setSmooth(smooth));
    this.concepts = new ConceptPanel(start.concepts, live, (asked) => this.ask(asked));
    this.places = new PlacePanel({
      explain: (at, signal) => source.place(...at, this.state.asked, signal),
      compare: (a, b, signal) => source.compare(a, b, signal),
      middle: () => map.middle(),
      nearest: (at) => this.nearest(at),
      choose: (name) => this.ask({ kind: "concept", text: name }),
      moved: (place, pins) => this.movePins(place, pins),
    });
    this.files = live && new FilePanel(live, {
      choose: (name) => this.ask({ kind: "concept", text: name }),
      asked: () => this.state.asked,
      drawPoints: (points) => map.drawPoints(points),
      showHeatmap: (title, located) => this.showHeatmap(title, located),
      goTo: (at) => map.goTo(at, 5),
    });
    this.own = live && new OwnPanel(live, {
      middle: () => map.middle(),
      markExamples: (positive, negative) => this.markExamples(positive, negative),
      made: (concept) => this.addOwn(concept),
    });
    const tabs: Tab[] = [
      { id: "concepts", title: "Concepts", content: this.concepts.element },
      { id: "places", title: "Places", content: this.places.element },
    ];
    if (this.files) tabs.push({ id: "files", title: "Files", content: this.files.element });
    if (this.own) tabs.push({ id: "own", title: "Your own", content: this.own.element });
    if (!live) tabs[0]!.content.append(el("p", { class: "quiet" }, "This is a static site. Words, files, finer views and concepts of your own need the local explorer: geoconcept explore."));
    const made = makeTabs(tabs, (id) => {
      this.state.tab = id === "concepts" ? null : id;
      this.keepState();
    });
    this.showTab = made.show;
    byId("tabs").append(made.element);
    this.listen();
  }

  /** Show what the address says. */
  async begin(): Promise<void> {
    const { asked, place, pins, tab, smooth } = this.state;
    this.legend.showNothing();
    this.map.setSmooth(smooth);
    this.showTab(tab ?? "concepts");
    const work = asked ? [this.ask(asked)] : [];
    if (pins.length) this.places.setPins(pins);
    if (place) work.push(this.places.visit(place));
    await Promise.all(work);
  }

  private ask(asked: Asked): Promise<void> {
    this.asking.abort();
    const { signal } = (this.asking = new AbortController());
    return attempt(async () => {
      const live = this.source.live;
      const known = this.source.start.concepts.find((one) => asked.kind === "concept" && one.name === asked.text);
      if (asked.kind === "words" && !live) throw new Error("Words need the local explorer: geoconcept explore.");
      const [concept, world] = await Promise.all([known ?? (asked.kind === "words" ? live!.words(asked.text, signal) : this.alias(asked.text)), this.source.world(asked, signal)]);
      this.state.asked = asked.kind === "concept" ? { kind: "concept", text: concept.name } : asked;
      this.heat = null;
      this.map.drawAreas(null);
      this.map.unmark("found");
      this.concepts.mark(this.state.asked);
      this.legend.showConcept(concept);
      this.dropView();
      await this.show(world);
      this.keepState();
      say(`The map shows ${concept.name}.`);
      document.documentElement.dataset.shown = concept.name;
      void attempt(() => this.files?.recolour() ?? Promise.resolve());
      this.lookCloser();
      await this.sharpen(signal);
    });
  }

  private alias(name: string): Concept {
    const wanted = name.toLowerCase();
    const found = this.source.start.concepts.find((one) => [one.name, ...one.aliases].some((label) => label.toLowerCase() === wanted));
    if (!found) throw new Error(`There is no concept “${name}”.`);
    return found;
  }

  private show(world: World): Promise<void> {
    this.world = world;
    this.tellFineness();
    return this.map.drawWorld(world, "percentile", this.state.smooth);
  }

  /** Draw again as long as the server still embeds the world. */
  private async sharpen(signal: AbortSignal): Promise<void> {
    const asked = this.state.asked;
    while (this.world && asked && this.world.done < this.world.total) {
      await new Promise((wake) => setTimeout(wake, LOOK));
      if (signal.aborted) return;
      const world = await this.source.world(asked, signal);
      if (world.done > this.world.done) await this.show(world);
    }
  }

  private tellFineness(): void {
    const world = this.world;
    if (!world) return;
    const share = Math.floor((100 * world.done) / world.total);
    const whole = share < 100 ? `Sharpening: ${share} % of the land.` : `Cells of ${this.source.start.grid.degrees} degrees.`;
    this.legend.setFineness(this.view ? `Cells of ${(this.view.bounds[2] - this.view.bounds[0]) / this.view.columns} degrees in view.` : whole);
    document.documentElement.dataset.done = String(share);
  }

  /** Where one has zoomed in, ask for finer cells of what is in view. */
  private readonly lookCloser = later(() => {
    const { live } = this.source;
    const asked = this.state.asked;
    if (!live || !asked || this.heat) return;
    const closer = fitView(this.map.bounds(), this.source.start.grid.steps);
    if (!closer) return this.dropView();
    this.viewing.abort();
    const { signal } = (this.viewing = new AbortController());
    void attempt(async () => {
      const view = await live.view(asked, closer.bounds, closer.step, signal);
      this.view = view;
      this.map.drawView(view, this.state.smooth);
      this.tellFineness();
    });
  }, 300);

  private dropView(): void {
    this.viewing.abort();
    if (this.view) this.map.drawView(null, false);
    this.view = null;
    this.tellFineness();
  }

  private setSmooth(smooth: boolean): void {
    this.state.smooth = smooth;
    this.legend.setSmooth(smooth);
    this.map.setSmooth(smooth);
    if (this.world && !this.heat) void this.map.drawWorld(this.world, "percentile", smooth);
    if (this.view) this.map.drawView(this.view, smooth);
    this.keepState();
  }

  private async showHeatmap(title: string, located: Located): Promise<void> {
    this.asking.abort();
    this.dropView();
    this.heat = await this.source.live!.heatmap(located.id);
    await this.map.drawWorld(this.heat, "density", false);
    this.map.drawAreas(located.areas);
    this.map.unmark("found");
    located.points.slice(0, 3).forEach((point, k) => this.map.mark(`found${k}`, [point.lon, point.lat], String(k + 1), "found"));
    const asked = this.state.asked;
    this.legend.showHeatmap(title, asked ? button(`Back to ${asked.text}`, () => void this.ask(asked)) : el("span"));
    const best = located.points[0];
    if (best) this.map.goTo([best.lon, best.lat], 2.5);
  }

  private addOwn(concept: Concept): void {
    this.source.start.concepts.unshift(concept);
    this.concepts.add(concept);
    void this.ask({ kind: "concept", text: concept.name });
  }

  private markExamples(positive: Pair[], negative: Pair[]): void {
    this.map.unmark("example");
    positive.forEach((pair, k) => this.map.mark(`example+${k}`, pair, "+", "with"));
    negative.forEach((pair, k) => this.map.mark(`example-${k}`, pair, "−", "without"));
  }

  private movePins(place: Pair | null, pins: Pair[]): void {
    [this.state.place, this.state.pins] = [place, pins];
    this.map.mark("place", place, "", "place");
    (["A", "B"] as const).forEach((label, k) => this.map.mark(`pin${label}`, pins[k] ?? null, label, "pin"));
    this.keepState();
  }

  private nearest(at: Pair): string {
    const turn = Math.PI / 180;
    let [best, name] = [Infinity, ""];
    for (const [town, country, lon, lat] of this.source.start.towns) {
      const dx = (((lon - at[0] + 540) % 360) - 180) * Math.cos(at[1] * turn);
      const distance = dx * dx + (lat - at[1]) ** 2;
      if (distance < best) [best, name] = [distance, `${town}, ${country}`];
    }
    const km = Math.sqrt(best) * 111.2;
    return km < 300 ? `${km < 10 ? "" : `${Math.round(km)} km from `}${name}` : "far from towns";
  }

  private listen(): void {
    const gl = this.map.gl;
    const hover = byId("hover");
    gl.on("mousemove", ({ lngLat }) => {
      const { lng, lat } = lngLat.wrap();
      const value = this.heat ? null : ((this.view && read(this.view, lng, lat)) ?? (this.world && read(this.world, lng, lat)));
      hover.hidden = false;
      const told = this.heat ? "" : value === null ? "no value " : `percentile ${value} in this cell `;
      hover.replaceChildren(el("strong", {}, told), `${spellPlace(lng, lat)}, ${this.nearest([lng, lat])}`);
    });
    gl.on("mouseout", () => (hover.hidden = true));
    gl.on("click", ({ lngLat }) => this.press([lngLat.wrap().lng, lngLat.wrap().lat]));
    gl.on("moveend", () => {
      this.state.camera = [...this.map.middle(), gl.getZoom()];
      this.keepState();
      this.lookCloser();
    });
    const canvas = gl.getCanvas();
    canvas.setAttribute("aria-label", "World map. Arrows move it, plus and minus zoom, Enter explains its middle.");
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.press(this.map.middle());
    });
    window.addEventListener("hashchange", () => this.follow());
    const drop = document.documentElement;
    for (const kind of ["dragover", "drop"] as const) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        const file = kind === "drop" ? event.dataTransfer?.files[0] : undefined;
        if (!file || !this.files) return;
        this.showTab("files");
        void this.files.take(file);
      });
    }
    const sheet = byId<HTMLButtonElement>("sheet");
    sheet.addEventListener("click", () => {
      const small = byId("app").classList.toggle("small-sheet");
      sheet.setAttribute("aria-expanded", String(!small));
      sheet.textContent = small ? "Larger" : "Smaller";
      gl.resize();
    });
  }

  private press(at: Pair): void {
    if (this.own?.collecting && this.state.tab === "own") return this.own.add(at);
    this.showTab("places");
    void this.places.visit(at);
  }

  private spelled = "";

  private readonly keepState = later(() => {
    this.spelled = spellState(this.state);
    history.replaceState(null, "", this.spelled);
  }, 100);

  /** The reader has changed the address by hand. */
  private follow(): void {
    if (location.hash === this.spelled) return;
    const wanted = readState(location.hash);
    if (wanted.camera) this.map.goTo([wanted.camera[0], wanted.camera[1]], wanted.camera[2]);
    if (wanted.tab) this.showTab(wanted.tab);
    if (wanted.smooth !== this.state.smooth) this.setSmooth(wanted.smooth);
    if (wanted.asked) void this.ask(wanted.asked);
    if (wanted.place) void this.places.visit(wanted.place);
    this.places.setPins(wanted.pins);
  }
}

/** Choose the finest cells that the view has few enough of, with bounds that are multiples of their side. */
function fitView([west, south, east, north]: Bounds, steps: number[]): { bounds: Bounds; step: number } | null {
  if (east - west > 90) return null;
  const turns = Math.floor((west + 180) / 360) * 360;
  for (const step of [...steps].sort((a, b) => a - b)) {
    const down = (value: number) => Math.floor(value / step) * step;
    const up = (value: number) => Math.ceil(value / step) * step;
    const bounds: Bounds = [down(west - turns), Math.max(down(south), -90), up(east - turns), Math.min(up(north), 90)];
    if (((bounds[2] - bounds[0]) / step) * ((bounds[3] - bounds[1]) / step) <= VIEW_CELLS) return { bounds, step };
  }
  return null;
}

async function main(): Promise<void> {
  const state = readState(location.hash);
  const [source, packed] = await Promise.all([openSource(), unpacked("./sea.json.gz")]);
  state.asked ??= { kind: "concept", text: source.start.concepts[0]?.name ?? "" };
  source.expect(state.asked); // its grid comes while the map is being set up
  const sea = JSON.parse(new TextDecoder().decode(packed)) as GeoJSON.MultiPolygon;
  const map = await WorldMap.open(byId("map"), sea, source.start, state.camera);
  await new App(source, map, state).begin();
}

void attempt(main);
