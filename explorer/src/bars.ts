// Rows of concepts as bars, with their numbers as text: nothing is told by length or colour alone.

import { el, percent } from "./dom";
import type { Row } from "./types";

/** A grade as a badge. */
export function gradeBadge(grade: string | null | undefined): HTMLElement {
  const letter = grade || "–";
  return el("span", { class: `grade grade-${grade ?? "none"}`, title: `grade ${letter}` }, el("span", { class: "hidden" }, "grade "), letter);
}

function bar(from: number, to: number, kind = ""): HTMLElement {
  const inner = el("span", { class: `fill ${kind}` });
  inner.style.setProperty("left", `${Math.min(from, to)}%`);
  inner.style.setProperty("width", `${Math.max(Math.abs(to - from), 0.5)}%`);
  return el("span", { class: "bar", "aria-hidden": "true" }, inner);
}

function tick(at: number): HTMLElement {
  const line = el("span", { class: "tick" });
  line.style.setProperty("left", `${at}%`);
  return line;
}

function head(row: Row, number: string, choose: (name: string) => void): HTMLElement {
  const name = el("button", { type: "button", class: "link", title: "Show on the map" }, row.concept);
  name.addEventListener("click", () => choose(row.concept));
  return el("span", { class: "row-head" }, name, " ", gradeBadge(row.grade), el("span", { class: "number" }, number));
}

/** What one place is associated with. The bar is the calibrated score, its line the usual share. */
export function placeBars(rows: Row[], choose: (name: string) => void): HTMLElement {
  const list = el("ol", { class: "bars" });
  for (const row of rows) {
    const calibrated = row.calibrated ?? null;
    const drawn = calibrated === null ? bar(0, row.percentile ?? 0) : bar(0, calibrated * 100);
    if (calibrated !== null && row.prevalence !== null && row.prevalence !== undefined) drawn.append(tick(row.prevalence * 100));
    const number = row.percentile === null || row.percentile === undefined ? "" : `percentile ${row.percentile.toFixed(0)}`;
    const told = calibrated === null ? "" : `${percent(calibrated)} of such places carry the label, ${percent(row.prevalence)} of all. `;
    list.append(el("li", {}, head(row, number, choose), drawn, el("small", {}, told, `${row.family}; ${row.evidence ?? ""}`)));
  }
  return list;
}

/** What tells two places apart: to the right where the first is higher, to the left where the second is. */
export function differenceBars(rows: Row[], choose: (name: string) => void): HTMLElement {
  const list = el("ol", { class: "bars both" });
  for (const row of rows) {
    const difference = row.difference ?? 0;
    const number = `A ${Math.round(row.a ?? 0)}, B ${Math.round(row.b ?? 0)}`;
    list.append(el("li", {}, head(row, number, choose), bar(50, 50 + difference / 2, difference < 0 ? "less" : "more"), el("small", {}, `${row.family}; ${row.evidence ?? ""}`)));
  }
  return list;
}

/** Shares or percentiles of a group of places. */
export function plainBars(rows: { name: string; value: number; number: string; note: string }[], choose: (name: string) => void): HTMLElement {
  const list = el("ol", { class: "bars" });
  for (const row of rows) {
    const made = { concept: row.name, family: "" } as Row;
    list.append(el("li", {}, head(made, row.number, choose), bar(0, row.value), el("small", {}, row.note)));
  }
  for (const badge of list.querySelectorAll(".grade-none")) badge.remove();
  return list;
}
