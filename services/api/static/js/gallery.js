// The live gallery: new snapshots appear by themselves, older ones as you scroll.

import { get } from "./api.js";
import { Card } from "./card.js";
import { noCameras, noMatch, noPictures } from "./empty.js";
import { h, icon } from "./dom.js";
import { FilterBar, fromAddress, toQuery } from "./filters.js";
import { after, fits, fromTaken } from "./model.js";
import { dayOf, plural } from "./words.js";

const PAGE = 60;
const STALE_MS = 20000;

export class Gallery {
  constructor(cameras, onOpen) {
    this.cameras = cameras;
    this.onOpen = onOpen;
    this.cards = new Map(); // newest first
    this.next = null;
    this.held = 0;
    this.grid = h("div", { class: "grid" });
    this.end = h("div", { class: "end", "aria-live": "polite" });
    this.news = h("button", { class: "news", type: "button", hidden: true, onclick: () => scrollTo({ top: 0, behavior: "smooth" }) });
    this.bar = new FilterBar(fromAddress(), cameras, (filters) => this.filter(filters));
    this.node = h("section", { class: "gallery", "aria-label": "Snapshots" }, this.bar.node, this.news, this.grid, this.end);
    this.watch = new IntersectionObserver((seen) => { if (seen[0].isIntersecting) this.more(); }, { rootMargin: "800px" });
    this.watch.observe(this.end);
    this.onScroll = () => { if (scrollY < 200) this.held = 0, (this.news.hidden = true); };
    addEventListener("scroll", this.onScroll, { passive: true });
    this.timer = setInterval(() => this.refreshStale(), STALE_MS);
    this.reload();
  }

  close() {
    this.watch.disconnect();
    removeEventListener("scroll", this.onScroll);
    clearInterval(this.timer);
  }

  get filters() { return this.bar.filters; }

  filter(filters) {
    const query = toQuery(filters);
    history.replaceState(history.state, "", query ? `/?${query}` : "/");
    this.reload();
  }

  async reload() {
    this.run = (this.run ?? 0) + 1;
    this.next = null;
    if (!this.cards.size) this.grid.replaceChildren(...Array.from({ length: 8 }, () => h("div", { class: "card ghost" }, h("div", { class: "frame" }))));
    await this.load(true);
  }

  async more() {
    if (this.next && !this.loading) await this.load(false);
  }

  async load(first) {
    const run = this.run;
    this.loading = true;
    const query = new URLSearchParams(toQuery(this.filters));
    query.set("limit", PAGE);
    if (!first) query.set("before", this.next);
    try {
      const page = await get(`/v1/snapshots?${query}`);
      if (run !== this.run) return;
      if (first) this.cards.clear();
      for (const snapshot of page.snapshots) this.cards.set(snapshot.id, new Card(snapshot, this.onOpen));
      this.next = page.next;
      this.end.replaceChildren();
    } catch (trouble) {
      if (run === this.run) this.end.replaceChildren(h("p", {}, trouble.message), h("button", { class: "button", type: "button", onclick: () => this.reload() }, "Try again"));
      if (first && !this.cards.size) this.grid.replaceChildren();
      return;
    } finally {
      if (run === this.run) this.loading = false;
    }
    this.draw();
  }

  // The grid in order, a heading before each day; nodes that stay are not touched.
  draw() {
    const wanted = [];
    let day = "";
    for (const card of this.cards.values()) {
      const its = dayOf(card.snapshot.received_at);
      if (its !== day) {
        wanted.push(this.heading(its));
        day = its;
      }
      wanted.push(card.node);
    }
    if (!wanted.length) wanted.push(this.empty());
    const keep = new Set(wanted);
    for (const node of [...this.grid.children]) if (!keep.has(node)) node.remove();
    wanted.forEach((node, index) => {
      if (this.grid.children[index] !== node) this.grid.insertBefore(node, this.grid.children[index] ?? null);
    });
    if (!this.next && this.cards.size > 12) this.end.replaceChildren(h("p", {}, "That is all there is."));
  }

  heading(day) {
    this.headings ??= new Map();
    if (!this.headings.has(day)) this.headings.set(day, h("h2", { class: "day" }, day));
    return this.headings.get(day);
  }

  empty() {
    if (Object.values(this.filters).some(Boolean)) return noMatch(() => this.bar.clear());
    return this.cameras.length ? noPictures(this.cameras) : noCameras();
  }

  async take(event) {
    if (!event.snapshotid) return;
    const card = this.cards.get(event.snapshotid);
    if (card) {
      card.update(after(card.snapshot, event));
      this.bar.learn(card.snapshot.detections.map((each) => each.label));
      return;
    }
    if (event.type === "snapshot.taken") this.add(fromTaken(event));
    // With a filter, a snapshot may come to fit only by what was found in it.
    else if (this.filters.label || this.filters.persons || this.filters.state) await this.addLater(event.snapshotid);
  }

  async addLater(id) {
    const oldest = [...this.cards.keys()].at(-1);
    if (this.next && oldest && id < oldest) return;
    const snapshot = await get(`/v1/snapshots/${id}`).catch(() => null);
    if (snapshot) this.add(snapshot);
  }

  add(snapshot) {
    if (this.cards.has(snapshot.id) || !fits(snapshot, this.filters)) return;
    const card = new Card(snapshot, this.onOpen);
    card.node.classList.add("new");
    const all = [...this.cards, [snapshot.id, card]];
    this.cards = new Map(all.sort(([one], [other]) => (one < other ? 1 : -1)));
    const above = scrollY > 400 ? document.documentElement.scrollHeight : 0;
    this.draw();
    if (!above) return;
    scrollBy(0, document.documentElement.scrollHeight - above);
    this.held += 1;
    this.news.replaceChildren(icon("up"), plural(this.held, "new snapshot"));
    this.news.hidden = false;
  }

  // What should be finished by now may have been given up, which no event says.
  async refreshStale() {
    const open = [...this.cards.values()].filter(({ snapshot }) =>
      ["taken", "analyzed"].includes(snapshot.state) && Date.now() - new Date(snapshot.received_at) > STALE_MS);
    for (const card of open.slice(0, 8)) {
      const snapshot = await get(card.snapshot.urls.snapshot).catch(() => null);
      if (snapshot) card.update(snapshot);
    }
  }

  neighbour(id, step) {
    const ids = [...this.cards.keys()];
    const place = ids.indexOf(id);
    return place < 0 ? null : this.cards.get(ids[place + step])?.snapshot ?? null;
  }
}
