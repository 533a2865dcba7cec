// Where answers come from: the local server, or the files of a static site.

import type { Asked, Bounds, Concept, Difference, Grid, Located, Match, Pair, Place, Row, Scored, Start, World } from "./types";

const WORLD: Bounds = [-180, -90, 180, 90];

/** What both can answer; what only a server can is in `Live`. */
export interface Source {
  readonly start: Start;
  readonly live: Live | null;
  /** Begin to fetch a world that is going to be asked for. */
  expect(asked: Asked): void;
  world(asked: Asked, signal?: AbortSignal): Promise<World>;
  place(lon: number, lat: number, asked: Asked | null, signal?: AbortSignal): Promise<Place>;
  compare(a: Pair, b: Pair, signal?: AbortSignal): Promise<Difference>;
}

export async function openSource(): Promise<Source> {
  const start = (await (await checked(fetch("./start.json"))).json()) as Start;
  return start.mode === "server" ? new Live(start) : new Static(start);
}

async function checked(answer: Promise<Response>): Promise<Response> {
  let response: Response;
  try {
    response = await answer;
  } catch (error) {
    if (error instanceof DOMException) throw error;
    throw new Error("The explorer does not answer: is `geoconcept explore` still running?");
  }
  if (response.ok) return response;
  let message = `The explorer answered ${response.status}.`;
  try {
    message = ((await response.json()) as { error: string }).error;
  } catch {
    // not JSON: the status alone must do
  }
  throw new Error(message);
}

function query(parameters: Record<string, string | number>): string {
  return new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)])).toString();
}

function named(asked: Asked | null): Record<string, string> {
  return asked ? { [asked.kind]: asked.text } : {};
}

/** Keep the answer to one question until it is asked. */
abstract class Early {
  private early: { key: string; world: Promise<World> } | null = null;

  expect(asked: Asked): void {
    this.early = { key: JSON.stringify(asked), world: this.fetchWorld(asked) };
    this.early.world.catch(() => undefined); // told when it is asked for
  }

  world(asked: Asked, signal?: AbortSignal): Promise<World> {
    const early = this.early;
    this.early = null;
    return early?.key === JSON.stringify(asked) ? early.world : this.fetchWorld(asked, signal);
  }

  protected abstract fetchWorld(asked: Asked, signal?: AbortSignal): Promise<World>;
}

export class Live extends Early implements Source {
  readonly live = this;
  constructor(readonly start: Start) {
    super();
  }

  protected async fetchWorld(asked: Asked, signal?: AbortSignal): Promise<World> {
    const response = await this.get("grid", named(asked), signal);
    const { rows, columns } = this.start.grid;
    const values = new Uint8Array(await response.arrayBuffer());
    const header = (name: string) => Number(response.headers.get(name));
    return { values, rows, columns, bounds: WORLD, done: header("x-done"), total: header("x-total") };
  }

  async view(asked: Asked, bounds: Bounds, step: number, signal?: AbortSignal): Promise<Grid> {
    const [west, south, east, north] = bounds;
    const response = await this.get("view", { ...named(asked), west, south, east, north, step }, signal);
    const header = (name: string) => Number(response.headers.get(name));
    const values = new Uint8Array(await response.arrayBuffer());
    return { values, rows: header("x-rows"), columns: header("x-columns"), bounds };
  }

  async place(lon: number, lat: number, asked: Asked | null, signal?: AbortSignal): Promise<Place> {
    return (await this.get("place", { lon, lat, ...named(asked) }, signal)).json();
  }

  async compare(a: Pair, b: Pair, signal?: AbortSignal): Promise<Difference> {
    return (await this.get("compare", { a: a.join(), b: b.join() }, signal)).json();
  }

  async search(text: string, signal: AbortSignal): Promise<Match[]> {
    return (await this.get("search", { q: text }, signal)).json();
  }

  async words(text: string, signal?: AbortSignal): Promise<Concept> {
    return (await this.get("words", { q: text }, signal)).json();
  }

  async progress(): Promise<{ world: { done: number; total: number }; job: { done: number; total: number } | null }> {
    return (await this.get("progress", {})).json();
  }

  async define(name: string, positive: Pair[], negative: Pair[], signal: AbortSignal): Promise<Concept> {
    const body = JSON.stringify({ name, positive, negative });
    return (await checked(fetch("./api/define", { method: "POST", body, signal }))).json();
  }

  async score(file: File, signal: AbortSignal): Promise<Scored> {
    return (await this.send("score", file, signal)).json();
  }

  async scoredPoints(id: string, column: string): Promise<[number, number, number | null][]> {
    return (await this.get(`scored/${id}/points`, { column })).json();
  }

  async locate(file: File, signal: AbortSignal): Promise<Located> {
    return (await this.send("locate", file, signal)).json();
  }

  async heatmap(id: string): Promise<Grid> {
    const { rows, columns } = this.start.grid;
    const values = new Uint8Array(await (await this.get(`heatmap/${id}`, {})).arrayBuffer());
    return { values, rows, columns, bounds: WORLD };
  }

  private get(path: string, parameters: Record<string, string | number>, signal?: AbortSignal): Promise<Response> {
    return checked(fetch(`./api/${path}?${query(parameters)}`, { signal: signal ?? null }));
  }

  private send(path: string, file: File, signal: AbortSignal): Promise<Response> {
    return checked(fetch(`./api/${path}?${query({ name: file.name })}`, { method: "POST", body: file, signal }));
  }
}

/** Files only: one grid a concept, and a coarse table of all concepts that answers clicks. */
class Static extends Early implements Source {
  readonly live = null;
  private table: Promise<{ cells: Map<number, number>; percentiles: Uint8Array }> | null = null;
  constructor(readonly start: Start) {
    super();
  }

  protected async fetchWorld(asked: Asked, signal?: AbortSignal): Promise<World> {
    const k = this.start.concepts.findIndex((concept) => concept.name === asked.text);
    if (asked.kind !== "concept" || k < 0) throw new Error(`This site has no concept “${asked.text}”.`);
    const { rows, columns } = this.start.grid;
    return { values: await unpacked(`./grids/${k}.bin.gz`, signal), rows, columns, bounds: WORLD, done: 1, total: 1 };
  }

  async place(lon: number, lat: number, asked: Asked | null): Promise<Place> {
    const values = await this.cell(lon, lat);
    const rows: Row[] = this.start.concepts.map((concept, k) => ({ ...concept, concept: concept.name, percentile: values[k] ?? null }));
    const shown = asked?.kind === "concept" ? rows.filter((row) => row.concept === asked.text) : [];
    return {
      lon,
      lat,
      place: "",
      concepts: best(rows, (row) => row.percentile ?? 0),
      residual: null,
      notes: [`Percentiles of a cell of ${this.step} degrees, highest first; a site without a server tells no more.`],
      asked: shown.map((row) => ({ concept: row.concept, percentile: row.percentile ?? 0 })),
    };
  }

  async compare(a: Pair, b: Pair): Promise<Difference> {
    const [one, two] = [await this.cell(...a), await this.cell(...b)];
    const rows: Row[] = this.start.concepts.map((concept, k) => {
      const [first, second] = [one[k] ?? 0, two[k] ?? 0];
      return { ...concept, concept: concept.name, a: first, b: second, difference: first - second };
    });
    const notes = [`Percentiles of cells of ${this.step} degrees, largest differences first.`];
    return { a: "", b: "", concepts: best(rows, (row) => Math.abs(row.difference ?? 0)), residual: null, notes };
  }

  private get step(): number {
    return this.start.grid.degrees * (this.start.table?.step ?? 1);
  }

  private async cell(lon: number, lat: number): Promise<Uint8Array> {
    this.table ??= this.readTable();
    const { cells, percentiles } = await this.table;
    const columns = 360 / this.step;
    const row = Math.min(Math.floor((90 - lat) / this.step), 180 / this.step - 1);
    const column = Math.floor((((lon + 180) % 360) + 360) % 360 / this.step);
    const at = cells.get(row * columns + column);
    if (at === undefined) throw new Error("There is no land there in this site’s coarse table.");
    const count = this.start.concepts.length;
    return percentiles.subarray(at * count, (at + 1) * count);
  }

  private async readTable() {
    const content = await unpacked("./table.bin.gz");
    const count = new DataView(content.buffer).getUint32(0, true);
    const numbers = new Uint32Array(content.buffer.slice(4, 4 + 4 * count));
    return { cells: new Map([...numbers].map((cell, k) => [cell, k])), percentiles: content.subarray(4 + 4 * count) };
  }
}

function best(rows: Row[], key: (row: Row) => number): Row[] {
  return rows.filter((row) => row.grade !== "D").sort((a, b) => key(b) - key(a)).slice(0, 15);
}

/** Fetch a gzip file; some web servers unpack it on the way. */
export async function unpacked(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const content = new Uint8Array(await (await checked(fetch(path, { signal: signal ?? null }))).arrayBuffer());
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
