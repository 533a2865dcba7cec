// Elements are only ever made here, and text only ever becomes text: file names, attributes and messages are data.

type Attributes = Record<string, string | number | boolean | undefined>;
type Child = Node | string | undefined | false;

/** Make an element. `on...` handlers are added by the caller; false and undefined attributes are left out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

export function button(text: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = el("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", press);
  return made;
}

/** Call only after nothing has happened for a while. */
export function later<A extends unknown[]>(action: (...args: A) => void, wait: number): (...args: A) => void {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => action(...args), wait);
  };
}

/** Tell the reader something, on the screen and aloud. */
export function say(text: string, wrong = false): void {
  const status = byId("status");
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Run, and tell what went wrong; what was called off is not wrong. */
export async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!isAbort(error)) say(error instanceof Error ? error.message : String(error), true);
  }
}

export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return "unknown";
  const value = share * 100;
  return `${value > 0 && value < 1 ? "under 1" : Math.round(value)} %`;
}

export function spellPlace(lon: number, lat: number): string {
  const east = lon < 0 ? "W" : "E";
  const north = lat < 0 ? "S" : "N";
  return `${Math.abs(lat).toFixed(2)}° ${north}, ${Math.abs(lon).toFixed(2)}° ${east}`;
}
