// Grids of degrees become pictures in Web Mercator.

import type { Grid } from "./types";

/** The latitude at which the square world of Web Mercator ends. */
export const TOP = 85.0511287798;

export function mercator(lat: number): number {
  return Math.asinh(Math.tan((lat * Math.PI) / 180));
}

function latitude(y: number): number {
  return (Math.atan(Math.sinh(y)) * 180) / Math.PI;
}

/** A colour for each of the values 0 to 100, as four bytes; all other values stay clear. */
export function ramp(colours: string[], fade = false): Uint32Array {
  const table = new Uint32Array(256);
  const bytes = new Uint8Array(table.buffer);
  for (let value = 0; value <= 100; value++) {
    const at = (value / 100) * (colours.length - 1);
    const k = Math.min(Math.floor(at), colours.length - 2);
    const [one, two] = [channels(colours[k]!), channels(colours[k + 1]!)];
    for (let c = 0; c < 3; c++) bytes[4 * value + c] = Math.round(one[c]! + (two[c]! - one[c]!) * (at - k));
    bytes[4 * value + 3] = fade ? Math.min(255, Math.round((value / 25) * 255)) : 255;
  }
  return table;
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
}

/** Draw a grid into a canvas whose rows are even in Web Mercator. */
export function paint(canvas: HTMLCanvasElement, grid: Grid, colours: Uint32Array, smooth: boolean): void {
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const [, south, , north] = grid.bounds;
  const [bottom, top] = [mercator(Math.max(south, -TOP)), mercator(Math.min(north, TOP))];
  const columns = Float64Array.from({ length: canvas.width }, (_, x) => ((x + 0.5) / canvas.width) * grid.columns);
  const whole = Uint16Array.from(columns);
  for (let y = 0; y < canvas.height; y++) {
    const lat = latitude(top + ((bottom - top) * (y + 0.5)) / canvas.height);
    const row = ((north - lat) / (north - south)) * grid.rows;
    const from = Math.min(Math.max(Math.floor(row), 0), grid.rows - 1) * grid.columns;
    for (let x = 0; x < canvas.width; x++) {
      const value = smooth ? blend(grid, row, columns[x]!) : grid.values[from + whole[x]!]!;
      pixels[y * canvas.width + x] = colours[value]!;
    }
  }
  context.putImageData(image, 0, 0);
}

function at(grid: Grid, row: number, column: number): number {
  const inside = Math.min(Math.max(row, 0), grid.rows - 1);
  return grid.values[inside * grid.columns + Math.min(Math.max(column, 0), grid.columns - 1)]!;
}

/** Blend the four nearest values; the shore stays where the nearest cell has it. */
function blend(grid: Grid, row: number, column: number): number {
  const nearest = at(grid, Math.floor(row), Math.floor(column));
  if (nearest > 100) return nearest;
  const [r, c] = [Math.floor(row - 0.5), Math.floor(column - 0.5)];
  const [u, v] = [row - 0.5 - r, column - 0.5 - c];
  let sum = 0;
  let weights = 0;
  for (const [dr, dc, weight] of [[0, 0, (1 - u) * (1 - v)], [0, 1, (1 - u) * v], [1, 0, u * (1 - v)], [1, 1, u * v]] as const) {
    const value = at(grid, r + dr, c + dc);
    if (value > 100) continue;
    sum += value * weight;
    weights += weight;
  }
  return weights > 0 ? Math.round(sum / weights) : nearest;
}

/** Read a grid at a place; null outside, at sea and where nothing is known yet. */
export function read(grid: Grid, lon: number, lat: number): number | null {
  const [west, south, east, north] = grid.bounds;
  const shifted = ((((lon - west) % 360) + 360) % 360) + west;
  if (shifted > east || lat < south || lat > north) return null;
  const row = Math.min(Math.floor(((north - lat) / (north - south)) * grid.rows), grid.rows - 1);
  const column = Math.min(Math.floor(((shifted - west) / (east - west)) * grid.columns), grid.columns - 1);
  const value = grid.values[row * grid.columns + column]!;
  return value > 100 ? null : value;
}
