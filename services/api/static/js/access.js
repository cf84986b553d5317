// Who may do what: people, keys, and the log of what was done.

import { h } from "./dom.js";
import { Keys } from "./keys.js";
import { Log } from "./log.js";
import { People } from "./people.js";

const REFRESH_MS = 10000;

export class Access {
  constructor() {
    this.log = new Log();
    const changed = () => this.log.refresh();
    this.parts = [new People(changed), new Keys(changed), this.log];
    this.node = h("div", { class: "system access" }, this.parts.map((part) => part.node));
    this.timer = setInterval(() => this.log.refresh(), REFRESH_MS);
  }

  close() { clearInterval(this.timer); }

  take(event) { if (event.type === "access.noted") this.log.refresh(); }
}
