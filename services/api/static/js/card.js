// One snapshot in the gallery. Redrawn in parts when events change it, so pictures never flicker.

import { croppedBoxes } from "./boxes.js";
import { h, icon } from "./dom.js";
import { ago, describe, exactTime, kindOf, percent, seen, stateOf, timeOf, verdict } from "./words.js";

const MOST_CHIPS = 3;

export class Card {
  constructor(snapshot, onOpen) {
    this.frame = h("div", { class: "frame" });
    this.words = h("div", { class: "words" });
    this.chip = h("span", { class: "state" });
    this.boxes = null;
    this.node = h("a", {
      class: "card", href: snapshot.urls.page, data: { id: snapshot.id },
      onclick: (click) => {
        if (click.metaKey || click.ctrlKey || click.shiftKey) return;
        click.preventDefault();
        onOpen(this.snapshot);
      },
    }, this.frame, this.words);
    this.picture = picture(snapshot, (image) => this.draw(image));
    this.frame.append(this.picture, this.chip);
    this.update(snapshot);
  }

  update(snapshot) {
    this.snapshot = snapshot;
    const state = stateOf(snapshot);
    const found = verdict(snapshot);
    this.node.dataset.state = state.key;
    this.node.setAttribute("aria-label", `${describe(snapshot)}. ${state.name}.`);
    this.chip.replaceChildren(state.key === "archived" ? icon("check") : h("i", { class: "dot" }), state.name);
    this.chip.dataset.state = state.key;
    this.chip.title = state.title;
    if (found.key === "damaged" && !this.picture.classList.contains("placeholder")) {
      const stand = placeholder("Damaged picture, in quarantine");
      this.picture.replaceWith(stand);
      this.picture = stand;
    }
    this.words.replaceChildren(
      h("div", { class: "line" },
        h("strong", {}, snapshot.place),
        h("time", { datetime: snapshot.captured_at, title: exactTime(snapshot.captured_at) }, timeOf(snapshot.captured_at))),
      h("div", { class: "chips" }, ...findings(snapshot, found)));
    if (this.image) this.draw(this.image);
  }

  draw(image) {
    this.image = image;
    image.alt = describe(this.snapshot);
    const { width = 0, height = 0 } = this.snapshot.analysis ?? {};
    const fresh = croppedBoxes(this.snapshot, width || image.naturalWidth || 16, height || image.naturalHeight || 9);
    if (this.boxes) this.boxes.replaceWith(fresh);
    else this.picture.after(fresh);
    this.boxes = fresh;
  }
}

function picture(snapshot, onReady) {
  if (snapshot.state === "quarantined") return placeholder("Damaged picture, in quarantine");
  const image = h("img", {
    src: snapshot.urls.thumbnail, alt: describe(snapshot), loading: "lazy", decoding: "async", draggable: "false",
  });
  image.addEventListener("load", () => { image.classList.add("here"); onReady(image); });
  image.addEventListener("error", () => image.replaceWith(placeholder("No picture to show")));
  return image;
}

export const placeholder = (text) => h("div", { class: "placeholder" }, icon("broken"), h("span", {}, text));

export function findings(snapshot, found = verdict(snapshot)) {
  if (found.key !== "seen") {
    return [h("span", { class: `finding ${found.key}`, title: found.text },
      found.key === "blind" ? icon("warning") : null, found.text)];
  }
  const entries = seen(snapshot);
  const chips = entries.slice(0, MOST_CHIPS).map(({ label, count, confidence }) =>
    h("span", {
      class: `finding ${kindOf(label)}`, data: label === "person" && snapshot.human_seen ? { human: "seen" } : {},
      title: label === "person" && snapshot.human_seen ? "Human seen" : null,
    }, count > 1 ? `${count} × ` : "", label, h("b", {}, percent(confidence))));
  if (entries.length > MOST_CHIPS) chips.push(h("span", { class: "finding more" }, `+${entries.length - MOST_CHIPS}`));
  return chips;
}

export const since = (text) => h("time", { datetime: text, title: exactTime(text), data: { ago: text } }, ago(text));
