// One snapshot, large: the picture with its boxes, what was seen, and its whole story.

import { get, post } from "./api.js";
import { captionedBoxes } from "./boxes.js";
import { placeholder } from "./card.js";
import { byId, h, icon, toast } from "./dom.js";
import { me } from "./me.js";
import { after } from "./model.js";
import { storyOf } from "./story.js";
import { describe, doorWords, exactTime, inNumbers, kindOf, percent, size, skewWords, stateOf, timeWords, triggerWords, verdict } from "./words.js";

export class Viewer {
  // neighbour(id, step) gives the next snapshot; onMove(snapshot | null) keeps the address.
  constructor(neighbour, onMove) {
    this.neighbour = neighbour;
    this.onMove = onMove;
    this.dialog = byId("viewer");
    this.showsBoxes = localStorage.getItem("boxes") !== "off";
    this.dialog.addEventListener("cancel", (cancel) => { cancel.preventDefault(); this.leave(); });
    this.dialog.addEventListener("click", (click) => { if (click.target === this.dialog) this.leave(); });
    this.dialog.addEventListener("keydown", (key) => this.key(key));
  }

  get isOpen() { return this.dialog.open; }

  async open(snapshot) {
    this.snapshot = snapshot;
    this.story = null;
    if (!this.dialog.open) this.dialog.showModal();
    this.draw();
    await this.read();
  }

  async openById(id) {
    try {
      await this.open(await get(`/v1/snapshots/${encodeURIComponent(id)}`));
    } catch (trouble) {
      toast(trouble.status === 404 || trouble.status === 422 ? "There is no such snapshot (any more)." : trouble.message, "error");
      this.onMove(null);
    }
  }

  async read() {
    const id = this.snapshot.id;
    const whole = await get(this.snapshot.urls.snapshot).catch(() => null);
    if (!whole || this.snapshot?.id !== id) return;
    this.snapshot = whole;
    this.story = whole.story;
    this.fill();
  }

  leave() { this.close(); this.onMove(null); }

  close() {
    if (this.dialog.open) this.dialog.close();
    this.snapshot = null;
  }

  take(event) {
    if (!this.snapshot || event.snapshotid !== this.snapshot.id) return;
    this.snapshot = after(this.snapshot, event);
    this.fill();
    this.read();
  }

  move(step) {
    const next = this.neighbour(this.snapshot.id, step);
    if (!next) return;
    this.onMove(next);
    this.open(next);
  }

  key(key) {
    if (key.target.closest("select, input, textarea") || key.ctrlKey || key.metaKey || key.altKey) return;
    if (key.key === "ArrowLeft") this.move(-1);
    else if (key.key === "ArrowRight") this.move(1);
    else if (key.key === "b" || key.key === "B") this.toggleBoxes();
  }

  toggleBoxes() {
    this.showsBoxes = !this.showsBoxes;
    localStorage.setItem("boxes", this.showsBoxes ? "on" : "off");
    this.dialog.classList.toggle("plain", !this.showsBoxes);
    this.toggle.setAttribute("aria-pressed", `${this.showsBoxes}`);
  }

  draw() {
    const bar = (name, label, onclick, props = {}) =>
      h("button", { class: "icon-button", type: "button", "aria-label": label, title: label, onclick, ...props }, icon(name));
    this.stage = h("div", { class: "stage" });
    this.side = h("div", { class: "side" });
    this.toggle = bar("boxes", "Boxes (B)", () => this.toggleBoxes(), { "aria-pressed": `${this.showsBoxes}` });
    this.back = bar("left", "Newer (←)", () => this.move(-1));
    this.forth = bar("right", "Older (→)", () => this.move(1));
    const tools = h("div", { class: "tools" }, this.back, this.forth, this.toggle,
      h("a", { class: "icon-button", href: this.snapshot.urls.original, "aria-label": "Download the original", title: "Download the original, as the camera sent it", download: "" }, icon("download")),
      bar("close", "Close (Esc)", () => this.leave(), { autofocus: true }));
    this.dialog.replaceChildren(h("div", { class: "picture" }, this.stage, tools), this.side);
    this.dialog.classList.toggle("plain", !this.showsBoxes);
    this.image = null;
    this.fill();
    this.dialog.querySelector("[autofocus]").focus();
  }

  fill() {
    const snapshot = this.snapshot;
    this.back.disabled = !this.neighbour(snapshot.id, -1);
    this.forth.disabled = !this.neighbour(snapshot.id, 1);
    this.dialog.setAttribute("aria-label", describe(snapshot));
    if (snapshot.state === "quarantined") this.stage.replaceChildren(placeholder("This picture is damaged and in quarantine"));
    else this.paint(snapshot);
    this.side.replaceChildren(...this.panel(snapshot));
  }

  paint(snapshot) {
    if (!this.image) {
      this.image = h("img", { src: snapshot.urls.picture, alt: "", onerror: () => this.stage.replaceChildren(placeholder("There is no picture to show")) });
      this.image.addEventListener("load", ({ target }) => {
        if (target !== this.image) return;
        target.classList.add("here");
        this.sheet.style.backgroundImage = "none";
        this.shape(target.naturalWidth, target.naturalHeight);
      });
      this.sheet = h("div", { class: "sheet" }, this.image);
      this.sheet.style.backgroundImage = `url("${snapshot.urls.thumbnail}")`;
      this.stage.replaceChildren(this.sheet);
    }
    const { width, height } = snapshot.analysis ?? {};
    if (width && height) this.shape(width, height);
    this.image.alt = describe(snapshot);
    this.sheet.querySelector(".overlay")?.remove();
    this.sheet.append(captionedBoxes(snapshot));
  }

  shape(width, height) {
    this.sheet.style.aspectRatio = `${width} / ${height}`;
    this.sheet.style.setProperty("--ratio", width / height);
  }

  point(index, isOn) {
    for (const node of this.stage.querySelectorAll(`[data-index="${index}"]`)) node.classList.toggle("hot", isOn);
    this.stage.classList.toggle("pointing", isOn);
  }

  panel(snapshot) {
    const state = stateOf(snapshot);
    return [
      h("header", {},
        h("h2", {}, snapshot.place),
        h("p", {}, h("time", { datetime: snapshot.captured_at }, exactTime(snapshot.captured_at))),
        h("span", { class: "state", data: { state: state.key }, title: state.title }, h("i", { class: "dot" }), state.name)),
      h("section", {}, h("h3", {}, "What was seen"), this.seen(snapshot)),
      this.held(snapshot),
      h("section", {}, h("h3", {}, "Story"), this.story ? storyOf(snapshot, this.story) : h("p", { class: "quiet" }, "Reading …")),
      h("section", {}, h("h3", {}, "The file"), facts(snapshot)),
    ].filter(Boolean);
  }

  seen(snapshot) {
    const found = verdict(snapshot);
    if (found.key !== "seen") {
      return h("p", { class: `verdict ${found.key}` }, found.key === "blind" ? icon("warning") : null, found.text);
    }
    return [h("p", { class: "counts" }, inNumbers(snapshot)), h("ul", { class: "detections" }, snapshot.detections.map(({ label, confidence }, index) => {
      const meter = h("meter", { min: 0, max: 1, value: confidence, "aria-hidden": "true" });
      const row = h("li", { class: kindOf(label), tabindex: 0 }, h("i", { class: "swatch" }), h("span", {}, label), meter, h("b", {}, percent(confidence)));
      row.addEventListener("pointerenter", () => this.point(index, true));
      row.addEventListener("pointerleave", () => this.point(index, false));
      row.addEventListener("focus", () => this.point(index, true));
      row.addEventListener("blur", () => this.point(index, false));
      return row;
    }))];
  }

  held(snapshot) {
    const work = snapshot.work ?? [];
    if (!work.length) return null;
    const dead = work.some((each) => each.status === "dead");
    return h("section", { class: "trouble" }, h("h3", {}, dead ? "Given up" : "Held up"),
      work.map((each) => h("p", {}, h("strong", {}, each.service), `: ${each.error || "was interrupted"}`,
        h("small", {}, each.status === "dead" ? ` after ${each.attempts} attempts` : each.next_attempt_at ? `; again ${exactTime(each.next_attempt_at)}` : ""))),
      dead && me.rights.includes("operate") ? h("button", { class: "button", type: "button", onclick: () => this.replay(snapshot) }, icon("again"), "Try again") : null);
  }

  async replay(snapshot) {
    try {
      const { replayed } = await post("/v1/work/replay", { snapshot_id: snapshot.id });
      toast(replayed ? "It will be tried again now." : "There was nothing to try again.", "good");
      await this.read();
    } catch (trouble) {
      toast(trouble.message, "error");
    }
  }
}

function facts(snapshot) {
  const { analysis } = snapshot;
  const rows = [
    ...snapshot.filings.filter(({ path }) => path).map(({ archive, path }) =>
      [snapshot.filings.length > 1 ? `Archived in ${archive}` : "Archived as", path]),
    ["Came by", doorWords(snapshot.door).name],
    ["Sent as", snapshot.name],
    ["Size", `${size(snapshot.size)}${analysis?.width ? `, ${analysis.width} × ${analysis.height}` : ""}`],
    ["Taken because of", triggerWords(snapshot.trigger)],
    ["Time from", timeWords(snapshot.captured_by)],
    ["Camera's clock", skewWords(snapshot.skew_s)],
    ...snapshot.analyses.filter(({ engine }) => engine).map(({ analyzer, model, engine }) =>
      [analyzer === "detector" ? "Detector" : analyzer, `${model} (${engine})`]),
    ["SHA-256", snapshot.sha256],
    ["Id", snapshot.id],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) =>
    [h("dt", {}, name), h("dd", {}, value)]));
}
