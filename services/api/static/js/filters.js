// What the gallery shows: kept in the address, shown as chips that can be taken off.

import { get } from "./api.js";
import { h, icon } from "./dom.js";
import { placeOf } from "./model.js";
import { STATE_NAMES } from "./words.js";

export const KEYS = ["camera", "persons", "label", "label_count", "state"];
const NAMES = { camera: "Camera", persons: "People", label: "Seen", label_count: "How many", state: "State" };
const ANY = { camera: "Any camera", persons: "People or not", label: "Anything seen", label_count: "One or more", state: "Any state" };
const PEOPLE = { 0: "Nobody", 1: "Human seen" };

export function fromAddress() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""]));
}

export function toQuery(filters) {
  return new URLSearchParams(Object.entries(filters).filter(([, value]) => value)).toString();
}

function spoken(key, value) {
  if (key === "camera") return placeOf(value);
  if (key === "state") return STATE_NAMES[value] ?? value;
  if (key === "persons") return PEOPLE[value] ?? `${value} people or more`;
  return key === "label_count" ? `${value} or more` : value;
}

export class FilterBar {
  constructor(filters, cameras, onChange) {
    this.filters = filters;
    this.onChange = onChange;
    this.options = {
      camera: cameras.map((camera) => camera.name), persons: ["1", "2", "3", "5", "0"], label: [],
      label_count: ["2", "3", "5", "10"], state: Object.keys(STATE_NAMES),
    };
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
    const open = KEYS.filter((key) => !this.filters[key] && (key !== "label_count" || this.filters.label));
    const choices = open.map((key) =>
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
    if (!this.filters.label) this.filters.label_count = "";
    this.draw();
    this.onChange(this.filters);
  }

  clear() {
    this.filters = Object.fromEntries(KEYS.map((key) => [key, ""]));
    this.draw();
    this.onChange(this.filters);
  }
}
