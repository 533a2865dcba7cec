// A concept of one's own, from examples that are clicked on the map.

import { attempt, button, el, say, spellPlace } from "./dom";
import type { Live } from "./source";
import type { Concept, Pair } from "./types";

type Kind = "with" | "without";

export interface OwnHost {
  middle(): Pair;
  markExamples(positive: Pair[], negative: Pair[]): void;
  made(concept: Concept): void;
}

export class OwnPanel {
  readonly element: HTMLElement;
  /** Whether a click on the map adds an example. */
  collecting = false;
  private readonly examples: Record<Kind, Pair[]> = { with: [], without: [] };
  private readonly lists = el("div", {});
  private readonly answer = el("div", { id: "own-answer" });
  private readonly name = el("input", { id: "own-name", required: true, maxlength: 80, autocomplete: "off" });
  private readonly collect: HTMLInputElement;
  private working = new AbortController();
  private kind: Kind = "with";

  constructor(private readonly live: Live, private readonly host: OwnHost) {
    this.collect = el("input", { type: "checkbox", id: "collect" });
    this.collect.addEventListener("change", () => (this.collecting = this.collect.checked));
    const kinds = (["with", "without"] as const).map((kind) => {
      const radio = el("input", { type: "radio", name: "example-kind", value: kind });
      radio.checked = kind === this.kind;
      radio.addEventListener("change", () => (this.kind = kind));
      return el("label", { class: "check" }, radio, kind === "with" ? "places that have it" : "places that lack it (optional)");
    });
    const form = el("form", {}, el("label", { class: "field" }, "Name", this.name), el("button", { type: "submit" }, "Make the concept"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.make();
    });
    this.element = el(
      "div",
      {},
      el("p", {}, "Mark places that have something in common. With ten or more, far apart, the grade says something."),
      el("label", { class: "check" }, this.collect, "clicking the map adds an example"),
      el("fieldset", {}, el("legend", {}, "Examples are"), ...kinds),
      button("Add the middle of the map", () => this.add(this.host.middle()), { class: "wide" }),
      this.lists,
      form,
      this.answer,
    );
    this.show();
  }

  add(at: Pair): void {
    this.examples[this.kind].push([Math.round(at[0] * 1e4) / 1e4, Math.round(at[1] * 1e4) / 1e4]);
    this.show();
    say(`Example ${this.examples[this.kind].length} ${this.kind} it: ${spellPlace(...at)}.`);
  }

  private show(): void {
    const lists = (["with", "without"] as const).map((kind) => {
      const items = this.examples[kind].map((pair, k) =>
        el("li", {}, spellPlace(...pair), " ", button("Remove", () => { this.examples[kind].splice(k, 1); this.show(); }, { "aria-label": `Remove example ${k + 1} ${kind} it` })),
      );
      return items.length ? el("details", { open: items.length < 6 }, el("summary", {}, `${items.length} ${kind} it`), el("ol", {}, ...items)) : undefined;
    });
    this.lists.replaceChildren(...lists.filter((one) => one !== undefined));
    this.host.markExamples(this.examples.with, this.examples.without);
  }

  private async make(): Promise<void> {
    this.working.abort();
    const { signal } = (this.working = new AbortController());
    await attempt(async () => {
      const bar = el("progress", { "aria-label": "Progress" });
      this.answer.replaceChildren(el("p", {}, "Fitting and testing …"), bar, button("Stop", () => this.working.abort()));
      const watch = window.setInterval(() => {
        void this.live.progress().then(({ job }) => {
          if (job) [bar.max, bar.value] = [job.total, job.done];
        }, () => undefined);
      }, 1000);
      try {
        const concept = await this.live.define(this.name.value, this.examples.with, this.examples.without, signal);
        this.answer.replaceChildren(
          el("h2", {}, concept.name),
          el("p", {}, `Grade ${concept.grade ?? "none"}: ${concept.evidence}.`),
          concept.warning ? el("p", { class: "warning" }, concept.warning) : el("span"),
          el("p", { class: "links" }, el("a", { class: "button", href: `./api/own/${encodeURIComponent(concept.name)}`, download: "" }, "Download as .concept file")),
        );
        this.host.made(concept);
      } catch (error) {
        this.answer.replaceChildren();
        throw error;
      } finally {
        clearInterval(watch);
      }
    });
  }
}
