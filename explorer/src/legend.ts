// What the colours mean: unit, reference, grade, model. It also holds how the map is drawn.

import { gradeBadge } from "./bars";
import { byId, el, percent } from "./dom";
import type { Concept, Look, Start } from "./types";

export class Legend {
  private readonly element = byId("legend");
  private readonly fineness = el("p", { class: "quiet", id: "fineness" });
  private readonly smooth: HTMLInputElement;

  constructor(private readonly start: Start, smooth: boolean, changed: (smooth: boolean) => void) {
    this.smooth = el("input", { type: "checkbox", id: "smooth" });
    this.smooth.checked = smooth;
    this.smooth.addEventListener("change", () => changed(this.smooth.checked));
  }

  showConcept(concept: Concept): void {
    const { model } = this.start;
    // A failure of a tested concept says where it errs; of words, or of grade D, it says not to trust the map.
    const doubtful = concept.family === "text" || concept.grade === "D";
    const told = concept.told?.nearest ? ` Reads land like: ${concept.told.nearest}.` : "";
    this.element.replaceChildren(
      el("h2", {}, concept.name, " ", gradeBadge(concept.grade)),
      bar(this.start.looks.percentile, ["0", "50", "100"]),
      el("p", {}, `Percentage of the reference places (${concept.reference.replaceAll("_", " ")}) that score lower.`),
      ...(doubtful ? [el("p", { class: "warning" }, concept.failure || "Not in the bank: no places were marked to test it on.")] : []),
      this.fineness,
      el("label", { class: "check" }, this.smooth, "smooth"),
      details(
        "About this concept",
        el("p", {}, concept.description + told),
        ...(doubtful || !concept.failure ? [] : [el("p", {}, `Known errors: ${concept.failure}`)]),
        el("p", {}, `Evidence: ${concept.evidence}${concept.prevalence === null ? "" : `; carried by ${percent(concept.prevalence)} of the reference places`}.`),
        el("p", {}, `Model ${model.name} (sha256 ${model.sha256.slice(0, 12)}), scale ${model.scale_km.join(" to ")} km. Associated with, not observed there.`),
      ),
    );
  }

  showHeatmap(title: string, back: HTMLElement): void {
    this.element.replaceChildren(
      el("h2", {}, title),
      bar(this.start.looks.density, ["1e-8", "1e-6", "1e-4"]),
      el("p", {}, `Where it may be from: ${this.start.looks.density.label}, logarithmic. Lines: 50 % and 90 % credible areas.`),
      back,
    );
  }

  showNothing(): void {
    this.element.replaceChildren(el("p", {}, "Choose a concept to see it on the map. Click the map to ask what a place is associated with."));
  }

  setSmooth(smooth: boolean): void {
    this.smooth.checked = smooth;
  }

  setFineness(text: string): void {
    this.fineness.textContent = text;
  }
}

function bar(look: Look, ends: string[]): HTMLElement {
  const canvas = el("canvas", { width: look.colours.length * 16, height: 1, role: "img", "aria-label": `colours from ${ends[0]} to ${ends.at(-1)}` });
  const context = canvas.getContext("2d")!;
  const fill = context.createLinearGradient(0, 0, canvas.width, 0);
  look.colours.forEach((colour, k) => fill.addColorStop(k / (look.colours.length - 1), colour));
  context.fillStyle = fill;
  context.fillRect(0, 0, canvas.width, 1);
  return el("div", { class: "ramp" }, canvas, el("div", { class: "ends", "aria-hidden": "true" }, ...ends.map((end) => el("span", {}, end))));
}

export function details(summary: string, ...content: HTMLElement[]): HTMLElement {
  return el("details", {}, el("summary", {}, summary), ...content);
}
