export interface Concept {
  name: string;
  family: string;
  grade: string | null;
  description: string;
  aliases: string[];
  evidence: string;
  reference: string;
  prevalence: number | null;
  failure: string;
  told?: Record<string, string>;
  warning?: string;
}

export interface Look {
  colours: string[];
  label: string;
}

export interface Start {
  mode: "server" | "static";
  version: string;
  model: { name: string; sha256: string; scale_km: [number, number] };
  grid: { rows: number; columns: number; degrees: number; steps: number[]; sea: number; unknown: number };
  looks: { percentile: Look; density: Look };
  concepts: Concept[];
  towns: [string, string, number, number][];
  photos: "clip" | "weak" | null;
  tiles: string | null;
  /** Of a static site: the coarse table that answers clicks. */
  table?: { step: number };
}

/** What is on the map: a concept by name, or words. */
export interface Asked {
  kind: "concept" | "words";
  text: string;
}

export type Pair = [number, number];
export type Bounds = [west: number, south: number, east: number, north: number];

/** Values 0 to 100 in cells of equal degrees, north first. */
export interface Grid {
  values: Uint8Array;
  rows: number;
  columns: number;
  bounds: Bounds;
}

export interface World extends Grid {
  done: number;
  total: number;
}

export interface Row {
  concept: string;
  family: string;
  grade?: string | null;
  evidence?: string;
  percentile?: number | null;
  calibrated?: number | null;
  prevalence?: number | null;
  reference?: string;
  a?: number | null;
  b?: number | null;
  difference?: number | null;
}

export interface Place {
  lon: number;
  lat: number;
  place: string;
  concepts: Row[];
  residual: number | null;
  notes: string[];
  asked: { concept: string; percentile: number }[];
}

export interface Difference {
  a: string;
  b: string;
  concepts: Row[];
  residual: number | null;
  notes: string[];
}

export interface Match {
  name: string;
  family: string;
  grade: string | null;
  match: number;
}

export interface Scored {
  id: string;
  rows: number;
  left_out: Record<string, number>;
  columns: Record<string, string>;
  top: { concept: string; family: string; percentile: number }[];
}

export interface Located {
  id: string;
  points: { lon: number; lat: number; probability: number }[];
  within_km: number;
  areas: GeoJSON.FeatureCollection;
  reasons: { concept: string; family: string; grade: string | null; weight: number; moved: number; moved_by_chance: number }[];
  notes: string[];
}
