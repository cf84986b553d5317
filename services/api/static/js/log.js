// The audit log: who did what, the newest first.

import { get } from "./api.js";
import { h } from "./dom.js";
import { exactTime } from "./words.js";

const PAGE = 50;
const SAID = {
  login: "logged in", login_refused: "was refused: wrong name or password",
  login_throttled: "tries passwords too often: slowed", logout: "logged out",
  sessions_ended: "ended the sessions of", person_added: "added", person_changed: "changed",
  person_removed: "removed", password_changed: "changed the password of", key_added: "made",
  key_rotated: "gave another secret to", key_revoked: "revoked",
  original_downloaded: "downloaded the original", work_replayed: "tried work again of",
};

export class Log {
  constructor() {
    this.list = h("tbody", {});
    this.more = h("button", { class: "button plain", type: "button", hidden: true, onclick: () => this.next() }, "Older");
    this.node = h("section", { "aria-label": "Audit log" },
      h("h2", {}, "Who did what"),
      h("div", { class: "scroll" }, h("table", { class: "log" },
        h("thead", {}, h("tr", {}, ["Time", "Who", "What", "From"].map((each) => h("th", { scope: "col" }, each)))), this.list)),
      this.more);
    this.rows = [];
    this.refresh();
  }

  async refresh() {
    if (this.rows.length > PAGE) return; // somebody reads further down
    await this.read("", true);
  }

  next() { return this.read(`&before=${this.before}`, false); }

  async read(query, anew) {
    const page = await get(`/v1/audit?limit=${PAGE}${query}`).catch(() => null);
    if (!page) return;
    this.rows = anew ? page.noted : [...this.rows, ...page.noted];
    this.before = page.next;
    this.more.hidden = page.next === null;
    this.list.replaceChildren(...this.rows.map(row));
  }
}

function row(noted) {
  const self = ["login", "logout", "login_refused", "login_throttled"].includes(noted.action);
  return h("tr", { data: { action: noted.action } },
    h("td", {}, exactTime(noted.time)), h("td", {}, noted.who),
    h("td", {}, SAID[noted.action] ?? noted.action, self || !noted.what ? "" : ` ${noted.what}`, noted.detail ? h("small", {}, ` ${noted.detail}`) : null),
    h("td", {}, noted.address));
}
