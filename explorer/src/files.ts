// Files that are dropped: tables of places to score, photos and CLIP vectors to locate.

import { plainBars } from "./bars";
import { attempt, button, el, say, spellPlace } from "./dom";
import type { Live } from "./source";
import type { Asked, Located, Pair, Scored } from "./types";

const TABLES = /\.(csv|tsv|geojson|json|parquet|geoparquet)$/i;
const LARGEST = 64 * 2 ** 20;

export interface FileHost {
  choose(name: string): void;
  asked(): Asked | null;
  drawPoints(points: [number, number, number | null][]): void;
  showHeatmap(title: string, located: Located): Promise<void>;
  goTo(at: Pair): void;
}

export class FilePanel {
  readonly element: HTMLElement;
  private readonly answer = el("div", { id: "file-answer" });
  private readonly input: HTMLInputElement;
  private working = new AbortController();
  private scored: Scored | null = null;

  constructor(private readonly live: Live, private readonly host: FileHost) {
    const { photos } = live.start;
    this.input = el("input", { type: "file", id: "file", accept: `.csv,.tsv,.geojson,.json,.parquet,.geoparquet,.npy${photos ? ",image/*" : ""}` });
    this.input.addEventListener("change", () => {
      const file = this.input.files?.[0];
      if (file) void this.take(file);
      this.input.value = ""; // the same file may be chosen again
    });
    const zone = el(
      "div",
      { class: "drop" },
      el("label", { for: "file" }, "Choose a file, or drop one here"),
      this.input,
      el("p", { class: "quiet" }, "Points as GeoJSON, GeoParquet or CSV are scored. " + (photos === "clip" ? "A photo or a CLIP vector (.npy) is located." : photos === "weak" ? "A CLIP vector (.npy) is located; a photo too, but by the weak tower, for demonstration only." : "A CLIP vector (.npy) is located. For photos start with CLIP’s weights: geoconcept explore --weights FILE.")),
      el("p", { class: "quiet" }, "Files stay on this machine. At most 64 MB."),
    );
    this.element = el("div", {}, zone, this.answer);
  }

  async take(file: File): Promise<void> {
    this.working.abort();
    const { signal } = (this.working = new AbortController());
    await attempt(async () => {
      if (file.size > LARGEST) throw new Error(`“${file.name}” has ${Math.round(file.size / 2 ** 20)} MB; 64 MB are the most.`);
      say(`Reading “${file.name}” …`);
      const watch = this.watch(file.name);
      try {
        if (TABLES.test(file.name)) await this.showScored(file.name, await this.live.score(file, signal));
        else await this.showLocated(file.name, await this.live.locate(file, signal));
      } catch (error) {
        this.answer.replaceChildren();
        throw error;
      } finally {
        clearInterval(watch);
      }
    });
  }

  /** Draw the scored points in the colours of what is on the map now. */
  async recolour(): Promise<void> {
    if (!this.scored) return;
    const asked = this.host.asked();
    const column = asked?.kind === "concept" ? this.scored.columns[asked.text] : undefined;
    const any = Object.values(this.scored.columns)[0];
    if (!any) return;
    const points = await this.live.scoredPoints(this.scored.id, column ?? any);
    this.host.drawPoints(column ? points : points.map(([lon, lat]) => [lon, lat, null]));
  }

  private watch(name: string): number {
    const bar = el("progress", { "aria-label": "Progress" });
    this.answer.replaceChildren(el("p", {}, `Working on “${name}” …`), bar, button("Stop", () => this.working.abort()));
    return window.setInterval(() => {
      void this.live.progress().then(({ job }) => {
        if (!job) return;
        bar.max = job.total;
        bar.value = job.done;
      }, () => undefined);
    }, 1000);
  }

  private async showScored(name: string, scored: Scored): Promise<void> {
    this.scored = scored;
    const left = Object.entries(scored.left_out);
    const links = ["csv", "geojson", "parquet"].map((suffix) => el("a", { href: `./api/scored/${scored.id}/scored.${suffix}`, download: `scored.${suffix}`, class: "button" }, suffix === "parquet" ? "GeoParquet" : suffix === "csv" ? "CSV" : "GeoJSON"));
    this.answer.replaceChildren(
      el("h2", { class: "file-name" }, name),
      el("p", {}, `${scored.rows.toLocaleString("en")} rows scored against ${Object.keys(scored.columns).length} concepts.`),
      ...left.map(([reason, count]) => el("p", { class: "warning" }, `${count.toLocaleString("en")} row${count === 1 ? " has" : "s have"} no scores: ${reason.replaceAll("_", " ")}.`)),
      el("p", { class: "links" }, "Download: ", ...links),
      el("h3", {}, "Highest on average"),
      plainBars(scored.top.map((row) => ({ name: row.concept, value: row.percentile, number: `percentile ${row.percentile.toFixed(0)}`, note: row.family })), (one) => this.host.choose(one)),
      button("Take the points off the map", () => {
        this.scored = null;
        this.host.drawPoints([]);
        this.answer.replaceChildren();
      }),
    );
    await this.recolour();
    say(`“${name}”: ${scored.rows} rows scored.`);
  }

  private async showLocated(name: string, located: Located): Promise<void> {
    await this.host.showHeatmap(name, located);
    const places = located.points.map((point) =>
      el("li", {}, button(spellPlace(point.lon, point.lat), () => this.host.goTo([point.lon, point.lat]), { class: "link" }), ` ${(point.probability * 100).toFixed(0)} % within ${located.within_km.toFixed(0)} km`),
    );
    const areas = located.areas.features.map((one) => el("li", {}, `${Math.round(100 * Number(one.properties?.level))} %: ${Math.round(Number(one.properties?.area_km2)).toLocaleString("en")} km²`));
    const reasons = located.reasons.map((row) => ({ name: row.concept, value: row.moved * 100, number: `moves ${(row.moved * 100).toFixed(0)} %`, note: `${row.family}; chance alone moves ${(row.moved_by_chance * 100).toFixed(0)} %` }));
    this.answer.replaceChildren(
      el("h2", { class: "file-name" }, name),
      ...located.notes.map((note) => el("p", { class: "quiet" }, note)),
      el("h3", {}, "Likely places"),
      el("ol", {}, ...places),
      el("h3", {}, "Credible areas"),
      el("ul", { class: "plain" }, ...areas),
      el("h3", {}, "What carried it"),
      el("p", { class: "quiet" }, "How much of the probability moves elsewhere when a concept is taken out."),
      plainBars(reasons, (one) => this.host.choose(one)),
    );
    say(`“${name}” is located.`);
  }
}
