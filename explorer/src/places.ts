// Ask about places: one at a time, or two pinned ones side by side.

import { differenceBars, placeBars } from "./bars";
import { attempt, button, el, say, spellPlace } from "./dom";
import type { Difference, Pair, Place } from "./types";

export interface PlaceHost {
  explain(at: Pair, signal: AbortSignal): Promise<Place>;
  compare(a: Pair, b: Pair, signal: AbortSignal): Promise<Difference>;
  middle(): Pair;
  nearest(at: Pair): string;
  choose(name: string): void;
  moved(place: Pair | null, pins: Pair[]): void;
}

export class PlacePanel {
  readonly element: HTMLElement;
  place: Pair | null = null;
  pins: Pair[] = [];
  private readonly lon = coordinate("lon", "Longitude", 180);
  private readonly lat = coordinate("lat", "Latitude", 90);
  private readonly answer = el("div", { id: "answer" });
  private readonly difference = el("div", { id: "difference" });
  private asking = new AbortController();
  private comparing = new AbortController();

  constructor(private readonly host: PlaceHost) {
    const form = el("form", { class: "place-form" }, field(this.lon), field(this.lat), el("button", { type: "submit" }, "Explain"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (form.reportValidity()) void this.visit([this.lon.valueAsNumber, this.lat.valueAsNumber]);
    });
    this.element = el(
      "div",
      {},
      el("p", {}, "Click the map, or give a position in degrees."),
      form,
      button("Explain the middle of the map", () => void this.visit(host.middle()), { class: "wide" }),
      this.difference,
      this.answer,
    );
  }

  /** Ask what a place is associated with. */
  visit(at: Pair): Promise<void> {
    this.place = at;
    [this.lon.value, this.lat.value] = at.map((value) => value.toFixed(4)) as [string, string];
    this.host.moved(this.place, this.pins);
    this.asking.abort();
    const { signal } = (this.asking = new AbortController());
    return attempt(async () => {
      this.answer.setAttribute("aria-busy", "true");
      try {
        const told = await this.host.explain(at, signal);
        this.answer.replaceChildren(...this.told(told, at));
        say(`${this.name(at, told.place)}: ${told.concepts.slice(0, 3).map((row) => row.concept).join(", ")}.`);
      } catch (error) {
        if (!signal.aborted) this.answer.replaceChildren();
        throw error;
      } finally {
        this.answer.removeAttribute("aria-busy");
      }
    });
  }

  /** Restore pins, for example from the address. */
  setPins(pins: Pair[]): void {
    this.pins = pins.slice(0, 2);
    this.host.moved(this.place, this.pins);
    this.comparing.abort();
    const [a, b] = this.pins;
    if (!a) return this.difference.replaceChildren();
    const pinned = this.pins.map((pin, k) =>
      el("li", {}, `${"AB"[k]}: ${this.name(pin, "")} `, button("Remove", () => this.setPins(this.pins.filter((one) => one !== pin)), { "aria-label": `Remove pin ${"AB"[k]}` })),
    );
    const body = el("div", {}, el("p", { class: "quiet" }, "Explain another place and pin it, to see what tells the two apart."));
    this.difference.replaceChildren(el("h2", {}, "Pinned places"), el("ul", { class: "plain" }, ...pinned), body);
    if (!b) return;
    const { signal } = (this.comparing = new AbortController());
    void attempt(async () => {
      const told = await this.host.compare(a, b, signal);
      body.replaceChildren(
        el("h3", {}, "What tells them apart"),
        el("p", { class: "quiet" }, "To the right: higher at A. To the left: higher at B. Numbers are percentiles."),
        differenceBars(told.concepts, (name) => this.host.choose(name)),
        ...told.notes.map((note) => el("p", { class: "quiet" }, note)),
      );
      say(`A and B differ most in ${told.concepts.slice(0, 3).map((row) => row.concept).join(", ")}.`);
    });
  }

  private told(told: Place, at: Pair): HTMLElement[] {
    const read = told.asked.map((one) => el("p", { class: "asked" }, `${one.concept}: percentile ${one.percentile.toFixed(0)} here`));
    return [
      el("h2", {}, this.name(at, told.place)),
      ...read,
      button(this.pins.length < 2 ? `Pin as ${"AB"[this.pins.length]}` : "Pin as B instead", () => this.setPins([...this.pins.slice(0, this.pins.length < 2 ? 2 : 1), at])),
      el("h3", {}, "Associated with"),
      placeBars(told.concepts, (name) => this.host.choose(name)),
      ...told.notes.map((note) => el("p", { class: "quiet" }, note)),
    ];
  }

  private name(at: Pair, told: string): string {
    return told || `${this.host.nearest(at)} (${spellPlace(...at)})`;
  }
}

function coordinate(id: string, label: string, most: number): HTMLInputElement {
  return el("input", { id, type: "number", min: -most, max: most, step: "any", required: true, "aria-label": `${label} in degrees`, placeholder: label });
}

function field(input: HTMLInputElement): HTMLElement {
  return el("label", { class: "field" }, input.placeholder, input);
}
