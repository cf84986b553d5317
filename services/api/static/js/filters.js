// What the gallery shows: kept in the address, shown as chips that can be taken off.

import { get } from "./api.js";
import { h, icon } from "./dom.js";
import { placeOf } from "./model.js";
import { STATE_NAMES } from "./words.js";

export const KEYS = ["camera", "label", "state"];
const NAMES = { camera: "Camera", label: "Seen", state: "State" };
const ANY = { camera: "Any camera", label: "Anything seen", state: "Any state" };

export function fromAddress() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""]));
}

export function toQuery(filters) {
  return new URLSearchParams(Object.entries(filters).filter(([, value]) => value)).toString();
}

const spoken = (key, value) =>
  key === "camera" ? placeOf(value) : key === "state" ? STATE_NAMES[value] ?? value : value;

export class FilterBar {
  constructor(filters, cameras, onChange) {
    this.filters = filters;
    this.onChange = onChange;
    this.options = { camera: cameras.map((camera) => camera.name), label: [], state: Object.keys(STATE_NAMES) };
    this.node = h("div", { class: "filters", role: "group", "aria-label": "Filter" });
    this.draw();
    this.readLabels();
  }

  async readLabels() {
    this.options.label = await get("/v1/labels").catch(() => []);
    this.draw();
  }

  learn(labels) {
    const unknown = labels.filter((label) => !this.options.label.includes(label));
    if (!unknown.length) return;
    this.options.label = [...this.options.label, ...new Set(unknown)].sort();
    this.draw();
  }

  draw() {
    const chips = KEYS.filter((key) => this.filters[key]).map((key) => {
      const text = spoken(key, this.filters[key]);
      return h("button", {
        class: "chip on", type: "button", data: { key }, "aria-label": `Remove filter ${NAMES[key]}: ${text}`,
        onclick: () => this.set(key, ""),
      }, h("small", {}, NAMES[key]), text, icon("close"));
    });
    const choices = KEYS.filter((key) => !this.filters[key]).map((key) =>
      h("label", { class: "chip pick" },
        h("span", { class: "unseen" }, `Filter by ${NAMES[key]}`),
        h("select", { data: { key }, onchange: (change) => this.set(key, change.target.value) },
          h("option", { value: "" }, ANY[key]),
          this.options[key].map((value) => h("option", { value }, spoken(key, value))))));
    const clear = chips.length > 1
      ? h("button", { class: "chip clear", type: "button", onclick: () => this.clear() }, "Show all") : null;
    const focused = this.node.contains(document.activeElement);
    this.node.replaceChildren(...chips, ...choices, ...(clear ? [clear] : []));
    if (focused) this.node.querySelector("button, select")?.focus();
  }

  set(key, value) {
    this.filters = { ...this.filters, [key]: value };
    this.draw();
    this.onChange(this.filters);
  }

  clear() {
    this.filters = Object.fromEntries(KEYS.map((key) => [key, ""]));
    this.draw();
    this.onChange(this.filters);
  }
}
