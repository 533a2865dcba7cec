// What is on the screen, in the address: whoever gets the link sees the same.

import type { Asked, Pair } from "./types";

export interface State {
  asked: Asked | null;
  place: Pair | null;
  pins: Pair[];
  camera: [lon: number, lat: number, zoom: number] | null;
  tab: string | null;
  smooth: boolean;
}

export function readState(hash: string): State {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const concept = found.get("c");
  const words = found.get("w");
  const camera = numbers(found.get("z"), 3);
  return {
    asked: concept ? { kind: "concept", text: concept } : words ? { kind: "words", text: words } : null,
    place: pair(found.get("p")),
    pins: [pair(found.get("a")), pair(found.get("b"))].filter((one) => one !== null),
    camera: camera && Math.abs(camera[1]!) <= 85 && camera[2]! >= 0 && camera[2]! <= 22 ? [camera[0]!, camera[1]!, camera[2]!] : null,
    tab: found.get("t"),
    smooth: found.get("s") === "1",
  };
}

export function spellState(state: State): string {
  const parts: [string, string][] = [];
  if (state.asked) parts.push([state.asked.kind === "concept" ? "c" : "w", state.asked.text]);
  if (state.place) parts.push(["p", state.place.map(short).join()]);
  state.pins.forEach((pin, k) => parts.push(["ab"[k]!, pin.map(short).join()]));
  if (state.camera) parts.push(["z", state.camera.map((value) => value.toFixed(2)).join()]);
  if (state.tab) parts.push(["t", state.tab]);
  if (state.smooth) parts.push(["s", "1"]);
  return `#${new URLSearchParams(parts).toString().replaceAll("%2C", ",")}`;
}

function short(value: number): string {
  return String(Math.round(value * 1e4) / 1e4);
}

function numbers(text: string | null, count: number): number[] | null {
  const values = (text ?? "").split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  return values.length === count && values.every(Number.isFinite) ? values : null;
}

function pair(text: string | null): Pair | null {
  const values = numbers(text, 2);
  return values && Math.abs(values[0]!) <= 180 && Math.abs(values[1]!) <= 90 ? [values[0]!, values[1]!] : null;
}
