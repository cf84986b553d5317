// Small forms: fields with their labels, one button, and trouble told where it arose.

import { h } from "./dom.js";

let number = 0;

export function field(name, label, props = {}, hint = "") {
  const id = `field-${++number}`;
  return h("div", { class: "field" },
    h("label", { for: id }, label),
    h("input", { id, name, type: "text", ...props }),
    hint ? h("small", {}, hint) : null);
}

export function choice(name, label, options, chosen = "") {
  const id = `field-${++number}`;
  return h("div", { class: "field" },
    h("label", { for: id }, label),
    h("select", { id, name }, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text))));
}

// Several of many, as boxes to tick.
export function several(name, label, options, ticked = []) {
  return h("fieldset", { class: "field" },
    h("legend", {}, label),
    options.map(([value, text]) => h("label", { class: "tick" },
      h("input", { type: "checkbox", name, value, checked: ticked.includes(value) }), text)));
}

export function form(title, fields, action, send, cancel = null) {
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const button = h("button", { class: "button", type: "submit" }, action);
  const node = h("form", { class: "panel" }, title ? h("h1", {}, title) : null, fields, trouble,
    h("div", { class: "actions" }, button,
      cancel ? h("button", { class: "button plain", type: "button", onclick: cancel }, "Cancel") : null));
  node.addEventListener("submit", async (submit) => {
    submit.preventDefault();
    button.disabled = true;
    trouble.hidden = true;
    try {
      await send(Object.fromEntries(new FormData(node)), new FormData(node));
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
  return node;
}
