// Choose a concept: an editable combobox over the list of all of them, filtered by family and grade.

import { gradeBadge } from "./bars";
import { attempt, el, later } from "./dom";
import type { Live } from "./source";
import type { Asked, Concept, Match } from "./types";

const GRADES = ["A", "B", "C", "D"];

interface Option {
  asked: Asked;
  title: string;
  note: string;
  grade: string | null | undefined;
}

export class ConceptPanel {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly count: HTMLElement;
  private readonly family: HTMLSelectElement;
  private readonly grade: HTMLSelectElement;
  private options: Option[] = [];
  private active = -1;
  private meaning: Match[] = [];
  private chosen: Asked | null = null;
  private asking: AbortController | null = null;

  constructor(
    private concepts: Concept[],
    private readonly live: Live | null,
    private readonly choose: (asked: Asked) => void,
  ) {
    this.list = el("div", { id: "concept-list", role: "listbox", "aria-label": "Concepts", tabindex: "0" });
    this.input = el("input", {
      id: "search",
      type: "search",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      maxlength: 200,
      "aria-expanded": "true",
      "aria-controls": "concept-list",
      "aria-autocomplete": "list",
      placeholder: live ? "desert, wine, olive groves by the sea" : "desert, wine, tundra",
    });
    this.count = el("p", { class: "quiet", role: "status" });
    this.family = select("family", "Family", ["all families", ...new Set(concepts.map((one) => one.family))]);
    this.grade = select("grade", "Grade", ["A, B and C", ...GRADES]);
    this.element = el(
      "div",
      { class: "concepts" },
      el("label", { for: "search" }, live ? "Search concepts, or type any words" : "Search concepts"),
      this.input,
      el("div", { class: "filters" }, labelled(this.family), labelled(this.grade)),
      this.count,
      this.list,
    );
    this.input.addEventListener("input", () => {
      this.meaning = [];
      this.active = -1;
      this.show();
      this.ask();
    });
    for (const one of [this.family, this.grade]) one.addEventListener("change", () => this.show());
    for (const one of [this.input, this.list]) one.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("click", (event) => {
      const option = (event.target as Element).closest<HTMLElement>("[role=option]");
      if (option) this.pick(Number(option.dataset.k));
    });
    this.show();
  }

  /** Put concepts of one's own into the list. */
  add(concept: Concept): void {
    this.concepts = [concept, ...this.concepts.filter((one) => one.name !== concept.name)];
    if (![...this.family.options].some((one) => one.value === concept.family)) this.family.append(el("option", {}, concept.family));
    this.show();
  }

  /** Mark what is on the map. */
  mark(asked: Asked | null): void {
    this.chosen = asked;
    this.show(false);
  }

  private readonly ask = later(() => {
    this.asking?.abort();
    const text = this.input.value.trim();
    const live = this.live;
    if (!live || text.length < 3) return;
    const asking = (this.asking = new AbortController());
    void attempt(async () => {
      try {
        this.meaning = await live.search(text, asking.signal);
      } catch (error) {
        if (asking.signal.aborted) return;
        this.meaning = []; // no word is known: the names that match stay
        if (error instanceof TypeError) throw error;
      }
      if (!asking.signal.aborted) this.show();
    });
  }, 150);

  private found(): Option[] {
    const text = this.input.value.trim();
    const wanted = text.toLowerCase();
    const all = this.family.selectedIndex === 0;
    const fits = (one: Concept) =>
      (all || one.family === this.family.value) && (this.grade.selectedIndex === 0 ? one.grade !== "D" || wanted !== "" : one.grade === this.grade.value);
    const named = this.concepts.filter((one) => fits(one) && (!wanted || [one.name, ...one.aliases].some((name) => name.toLowerCase().includes(wanted))));
    const options = named.map((one): Option => ({ asked: { kind: "concept", text: one.name }, title: one.name, note: one.family, grade: one.grade }));
    const seen = new Set(named.map((one) => one.name));
    const byName = new Map(this.concepts.map((one) => [one.name, one]));
    for (const match of this.meaning) {
      const one = byName.get(match.name);
      if (one && fits(one) && !seen.has(match.name)) options.push({ asked: { kind: "concept", text: match.name }, title: match.name, note: `${match.family}, by meaning`, grade: one.grade });
    }
    const exact = named.some((one) => one.name.toLowerCase() === wanted);
    if (this.live && wanted && !exact) {
      const words: Option = { asked: { kind: "words", text }, title: `Map the words “${text}”`, note: "not in the bank: untested", grade: undefined };
      options.splice(named.length ? options.length : 0, 0, words);
    }
    return options;
  }

  private show(scroll = true): void {
    this.options = this.found();
    this.active = Math.min(this.active, this.options.length - 1);
    const made = this.options.map((option, k) => {
      const chosen = this.chosen?.kind === option.asked.kind && this.chosen.text === option.asked.text;
      return el(
        "div",
        { role: "option", id: `option-${k}`, "data-k": k, "aria-selected": String(chosen), class: k === this.active ? "active" : undefined },
        option.grade === undefined ? el("span", { class: "grade grade-none", "aria-hidden": "true" }, "?") : gradeBadge(option.grade),
        el("span", { class: "title" }, option.title),
        el("small", {}, option.note),
      );
    });
    this.list.replaceChildren(...made);
    const number = this.options.filter((option) => option.asked.kind === "concept").length;
    this.count.textContent = `${number} concept${number === 1 ? "" : "s"}`;
    for (const one of [this.input, this.list]) {
      if (this.active >= 0) one.setAttribute("aria-activedescendant", `option-${this.active}`);
      else one.removeAttribute("aria-activedescendant");
    }
    if (scroll && this.active >= 0) made[this.active]?.scrollIntoView({ block: "nearest" });
  }

  private press(event: KeyboardEvent): void {
    const last = this.options.length - 1;
    const inList = event.target === this.list;
    const to = {
      ArrowDown: Math.min(this.active + 1, last),
      ArrowUp: Math.max(this.active - 1, 0),
      PageDown: Math.min(this.active + 10, last),
      PageUp: Math.max(this.active - 10, 0),
      ...(inList ? { Home: 0, End: last } : {}),
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.active = to;
      this.show();
    } else if (event.key === "Enter" || (inList && event.key === " ")) {
      event.preventDefault();
      if (last >= 0) this.pick(Math.max(this.active, 0));
    }
  }

  private pick(k: number): void {
    const option = this.options[k];
    if (!option) return;
    this.active = k;
    this.choose(option.asked);
  }
}

function select(id: string, label: string, options: string[]): HTMLSelectElement {
  const made = el("select", { id, "aria-label": label });
  made.append(...options.map((text) => el("option", {}, text)));
  return made;
}

function labelled(field: HTMLSelectElement): HTMLElement {
  return el("label", { class: "field" }, field.getAttribute("aria-label")!, field);
}
