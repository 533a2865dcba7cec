// Tabs as the ARIA Authoring Practices describe them: arrows move between them, Tab goes on into the panel.

import { el } from "./dom";

export interface Tab {
  id: string;
  title: string;
  content: HTMLElement;
}

export function makeTabs(tabs: Tab[], changed: (id: string) => void): { element: HTMLElement; show: (id: string) => void } {
  const list = el("div", { role: "tablist", "aria-label": "What to do" });
  const element = el("div", { class: "tabs" }, list);
  const buttons = tabs.map((tab) => {
    const made = el("button", { type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": `panel-${tab.id}` }, tab.title);
    made.addEventListener("click", () => show(tab.id));
    list.append(made);
    element.append(el("div", { role: "tabpanel", id: `panel-${tab.id}`, "aria-labelledby": `tab-${tab.id}`, tabindex: "0" }, tab.content));
    return made;
  });
  list.addEventListener("keydown", (event) => {
    const now = buttons.findIndex((one) => one === document.activeElement);
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined || now < 0) return;
    event.preventDefault();
    const k = (to + tabs.length) % tabs.length;
    show(tabs[k]!.id);
    buttons[k]!.focus();
  });

  function show(id: string): void {
    const chosen = tabs.some((tab) => tab.id === id) ? id : tabs[0]!.id;
    tabs.forEach((tab, k) => {
      const on = tab.id === chosen;
      buttons[k]!.setAttribute("aria-selected", String(on));
      buttons[k]!.tabIndex = on ? 0 : -1;
      element.querySelector<HTMLElement>(`#panel-${tab.id}`)!.hidden = !on;
    });
    changed(chosen);
  }
  return { element, show };
}
