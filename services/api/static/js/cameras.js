// The strip of cameras: the last picture of each, how it was got or why not, and "take a picture now".

import { get, post, urlsOf } from "./api.js";
import { placeholder, since } from "./card.js";
import { h, icon, toast } from "./dom.js";
import { plural } from "./words.js";

const PATIENCE_MS = 60000;
const SEEN_MS = 8000;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Cameras {
  constructor(cameras, onPick) {
    this.tiles = new Map();
    this.onPick = onPick;
    this.node = h("section", { class: "cameras", "aria-label": "Cameras" });
    this.draw(cameras);
  }

  draw(cameras) {
    const text = JSON.stringify(cameras);
    if (text === this.drawn || this.node.querySelector(".busy")) return; // leave focus and waiting buttons alone
    this.drawn = text;
    this.cameras = cameras;
    this.node.hidden = !cameras.length;
    this.tiles = new Map(cameras.map((camera) => [camera.name, this.tile(camera)]));
    this.node.replaceChildren(...this.tiles.values());
  }

  tile(camera) {
    const last = camera.last_snapshot;
    const total = Object.values(camera.counts).reduce((sum, count) => sum + count, 0);
    const view = last && last.state !== "quarantined"
      ? h("img", { src: last.urls.thumbnail, alt: "", loading: "lazy", onerror: (error) => error.target.replaceWith(placeholder("")) })
      : h("div", { class: "placeholder" }, icon("camera"));
    const test = camera.last_test;
    const tested = test && (!last || new Date(test.time) > new Date(last.received_at));
    const note = camera.failing
      ? h("span", { class: "bad" }, "failed ", since(camera.last_failure.time))
      : tested ? h("span", { class: "tested" }, "connection test received ", since(test.time))
        : last ? h("span", {}, since(last.received_at)) : h("span", {}, "no picture yet");
    return h("article", { class: "camera", data: { camera: camera.name, failing: camera.failing } },
      h("button", { class: "view", type: "button", "aria-label": `Show only ${camera.place}`, onclick: () => this.onPick(camera.name) }, view),
      h("div", { class: "about" },
        h("strong", { title: camera.name }, camera.place),
        h("span", { class: "note" }, note, total ? h("span", { class: "total" }, plural(total, "picture")) : null)),
      camera.can_be_asked ? this.button(camera) : null,
      camera.failing ? h("p", { class: "told bad" }, camera.last_failure.reason)
        : camera.seen ? h("p", { class: "told" }, camera.seen) : null);
  }

  button(camera) {
    return h("button", {
      class: "icon-button take", type: "button", title: "Take a picture now",
      "aria-label": `Take a picture now: ${camera.place}`,
      onclick: (click) => this.ask(camera, click.currentTarget),
    }, icon("camera"));
  }

  async ask(camera, button) {
    button.disabled = true;
    button.classList.add("busy");
    try {
      const { url } = await post(`/v1/cameras/${encodeURIComponent(camera.name)}/snapshots`);
      toast(`Asked ${camera.place} for a picture …`);
      const outcome = await this.follow(url);
      if (outcome.state === "done") {
        const seen = await this.seen(camera.name, new Date(outcome.requested_at));
        toast(`${camera.place}: here it is${seen && ` (${seen})`}`, "good");
      }
      else if (outcome.state === "failed") toast(`${camera.place}: ${outcome.reason || "it gave no picture"}`, "error");
      else toast(`${camera.place} has not answered yet; the picture will appear when it comes.`, "error");
    } catch (trouble) {
      toast(`${camera.place}: ${trouble.message}`, "error");
    } finally {
      button.disabled = false;
      button.classList.remove("busy");
      this.redraw(camera.name);
    }
  }

  async follow(url) {
    const deadline = Date.now() + PATIENCE_MS;
    let outcome = { state: "waiting" };
    while (outcome.state === "waiting" && Date.now() < deadline) {
      await pause(700);
      outcome = await get(url);
    }
    return outcome;
  }

  // How the picture was got, in words. The camera service tells it a little after the picture came.
  async seen(name, since) {
    const deadline = Date.now() + SEEN_MS;
    for (;;) {
      const cameras = await get("/v1/cameras");
      const { seen, seen_at } = cameras.find((each) => each.name === name) ?? {};
      if (seen_at && new Date(seen_at) >= since) {
        Object.assign(this.cameras.find((each) => each.name === name), { seen, seen_at, failing: false });
        return seen;
      }
      if (Date.now() > deadline) return "";
      await pause(700);
    }
  }

  // What an event changes in a tile; the rest is asked for now and then.
  take(event) {
    const camera = this.cameras.find((each) => each.name === event.subject);
    if (!camera) return;
    if (event.type === "snapshot.taken") {
      camera.last_snapshot = { urls: urlsOf(event.snapshotid), received_at: event.data.received_at, state: "taken" };
      camera.counts = { ...camera.counts, new: (camera.counts.new ?? 0) + 1 };
      camera.failing = false;
    } else if (event.type === "camera.failed") {
      camera.failing = true;
      camera.last_failure = { time: event.time, reason: event.data.reason };
    } else if (event.type === "camera.tested") {
      camera.last_test = { time: event.time };
      toast(`${camera.place}: connection test received`, "good");
    } else return;
    this.redraw(camera.name);
  }

  // A tile anew; a button that waits stays, and so does the focus.
  redraw(name) {
    const before = this.tiles.get(name);
    const camera = this.cameras.find((each) => each.name === name);
    if (!before || !camera) return;
    const button = before.querySelector(".take");
    const focused = document.activeElement === button;
    const tile = this.tile(camera);
    if (button) tile.querySelector(".take")?.replaceWith(button);
    before.replaceWith(tile);
    this.tiles.set(name, tile);
    if (focused) button.focus();
  }
}
