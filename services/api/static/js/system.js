// The state of the parts: what runs, what waits, what was given up and can be tried again.

import { get, post } from "./api.js";
import { since } from "./card.js";
import { h, icon, toast } from "./dom.js";
import { exactTime, plural, size, span } from "./words.js";

const REFRESH_MS = 4000;
const VERDICT = { ok: "Everything works", degraded: "Something needs a look", stuck: "Work does not move" };

export class System {
  constructor() {
    this.node = h("section", { class: "system", "aria-label": "System" }, h("p", { class: "quiet" }, "Reading …"));
    this.timer = setInterval(() => this.refresh(), REFRESH_MS);
    this.refresh();
  }

  close() { clearInterval(this.timer); }

  take() {}

  async refresh() {
    try {
      const [health, { work }] = await Promise.all([get("/v1/health"), get("/v1/work")]);
      const text = JSON.stringify([health.problems, health.parts.map(({ seen_at, ...rest }) => rest), health.lag.dead, health.lag.unpublished, health.lag.unfinished, health.snapshots, work]);
      if (text === this.shown) return; // nothing changed: leave focus and selection alone
      this.shown = text;
      this.node.replaceChildren(this.head(health), tiles(health), parts(health), this.work(work));
    } catch (trouble) {
      this.shown = "";
      this.node.replaceChildren(h("div", { class: "empty" }, icon("warning"), h("h2", {}, "The state can't be read"), h("p", {}, trouble.message)));
    }
  }

  head(health) {
    return h("header", { class: "verdict-card", data: { status: health.status } },
      h("h1", {}, h("i", { class: "dot" }), VERDICT[health.status] ?? health.status),
      health.problems.length
        ? h("ul", {}, health.problems.map((problem) => h("li", {}, problem)))
        : h("p", {}, "Pictures are taken, analysed and filed; nothing waits for longer than it should."));
  }

  work(work) {
    const dead = work.filter((each) => each.status === "dead");
    const head = h("div", { class: "row" }, h("h2", {}, "Unfinished work"),
      dead.length > 1 ? h("button", { class: "button", type: "button", onclick: () => this.replay({}) }, icon("again"), `Try all ${dead.length} again`) : null);
    if (!work.length) return h("section", {}, head, h("p", { class: "quiet" }, "None. What fails is listed here, with its reason, until it is done."));
    return h("section", {}, head, h("ul", { class: "work" }, work.map((each) => h("li", { data: { status: each.status } },
      h("span", { class: "state", data: { state: each.status === "dead" ? "dead" : "taken" } }, h("i", { class: "dot" }), { dead: "Gave up", retry: "Will try again", tried: "Interrupted" }[each.status]),
      h("div", { class: "what" },
        h("strong", {}, `${each.service} · ${each.topic}`),
        h("p", {}, each.error || "no error was noted"),
        h("small", {}, `${each.camera} · ${plural(each.attempts, "attempt")} · `, since(each.updated_at),
          each.next_attempt_at && each.status === "retry" ? ` · again ${exactTime(each.next_attempt_at)}` : "")),
      h("div", { class: "actions" },
        each.snapshot_id ? h("a", { class: "button plain", href: `/snapshots/${each.snapshot_id}`, "data-route": true }, "Show") : null,
        each.status === "dead" ? h("button", { class: "button", type: "button", onclick: () => this.replay({ service: each.service, event_id: each.event_id }) }, icon("again"), "Try again") : null)))));
  }

  async replay(chosen) {
    try {
      const { replayed } = await post("/v1/work/replay", chosen);
      toast(`${plural(replayed, "piece")} of work will be tried again now.`, "good");
    } catch (trouble) {
      toast(trouble.message, "error");
    }
    this.refresh();
  }
}

function tiles({ lag, snapshots, space, parts: list }) {
  const tile = (name, value, note, bad = false) =>
    h("div", { class: "tile", data: { bad } }, h("small", {}, name), h("b", {}, value), h("span", {}, note));
  const stuck = (age) => age > lag.stuck_after_s;
  const wait = (count, age) => (count ? `oldest ${span(age)}` : "nothing waits");
  const total = Object.values(snapshots).reduce((sum, count) => sum + count, 0);
  return h("div", { class: "tiles" },
    tile("Snapshots", total.toLocaleString(), `${(snapshots.archived ?? 0).toLocaleString()} archived`),
    tile("Unfinished", lag.unfinished.toLocaleString(), wait(lag.unfinished, lag.oldest_unfinished_s), stuck(lag.oldest_unfinished_s)),
    tile("Unpublished", lag.unpublished.toLocaleString(), wait(lag.unpublished, lag.oldest_unpublished_s), stuck(lag.oldest_unpublished_s)),
    tile("Given up", lag.dead.toLocaleString(), lag.dead ? "can be tried again" : "nothing", lag.dead > 0),
    tile("Quarantined", (snapshots.quarantined ?? 0).toLocaleString(), "damaged pictures"),
    ...Object.entries(Object.assign({}, ...list.map((part) => part.about?.paid ?? {}))).map(([engine, told]) => paidTile(tile, engine, told)),
    space ? tile("Disk", size(space.free), `free of ${size(space.total)}`, space.free < space.total * 0.1) : tile("Disk", "?", "the volume is not there", true));
}

// What an engine costs that is paid for each call.
function paidTile(tile, engine, { currency, periods: { day, month } }) {
  const money = (amount) => `${amount.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 3 })}`;
  if (!day) return tile(`Paid: ${engine}`, "?", "the journal is away", true);
  const spent = ({ money: sum, budget }) => (budget === null ? money(sum) : `${money(sum)} of ${money(budget)}`);
  const refused = day.refused + month.refused;
  return tile(`Paid: ${engine}`, `${money(day.money)} ${currency}`,
    refused ? `budget spent: ${plural(refused, "picture")} not sent` : `today ${spent(day)}, month ${spent(month)}`, refused > 0);
}

function parts({ parts: list }) {
  return h("section", {}, h("h2", {}, "Parts"), h("div", { class: "parts" }, list.map((part) =>
    h("article", { class: "part", data: { status: !part.up ? "down" : part.ok ? "ok" : "degraded" } },
      h("div", { class: "line" }, h("i", { class: "dot" }), h("strong", {}, part.service),
        h("span", { class: "updown" }, part.up ? (part.ok ? "up" : "up, not well") : "down")),
      h("p", {}, part.summary || "—"),
      part.about?.offer ? h("div", { class: "offer" },
        h("p", {}, part.about.offer_words ?? "On the machine where Snapbus runs, this gets YOLOv8n, checks it, and prepares it (its licence is AGPL-3.0); the detector takes it by itself:"),
        h("pre", {}, part.about.offer),
        // Browsers copy on pages that came by TLS or from this machine only.
        navigator.clipboard ? h("button", { class: "button", type: "button", onclick: () => navigator.clipboard.writeText(part.about.offer).then(() => toast("Copied.", "good")) }, icon("copy"), "Copy the command") : null) : null,
      part.about?.certificate_sha256 ? h("small", {}, "certificate SHA-256 ", h("code", {}, part.about.certificate_sha256)) : null,
      h("small", {}, part.up ? ["started ", since(part.since)] : part.seen_at ? ["last seen ", since(part.seen_at)] : "it should run, by the configuration", part.instance ? ` · ${part.instance}` : "")))));
}
