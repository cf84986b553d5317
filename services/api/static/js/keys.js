// Keys of programs: make one and see it this once, give it another secret, revoke it.

import { get, post, remove } from "./api.js";
import { h, icon, toast } from "./dom.js";
import { choice, field, form, several } from "./forms.js";
import { exactTime } from "./words.js";

const SCOPES = [
  ["read", "read: pictures, events, state"],
  ["request", "request: ask cameras for pictures"],
  ["ingest", "ingest: bring pictures of one camera"],
  ["administer", "administer: everything"],
];
const DAYS = [["", "without end"], ["30", "30 days"], ["90", "90 days"], ["365", "a year"]];

export class Keys {
  constructor(onChange) {
    this.onChange = onChange;
    this.list = h("ul", { class: "rows" });
    this.place = h("div", {});
    // Without the cameras to choose from, whoever is added would see all of them.
    this.adding = h("button", { class: "button", type: "button", disabled: true, onclick: () => this.add() }, "Make a key");
    this.node = h("section", { "aria-label": "Keys" },
      h("div", { class: "row" }, h("h2", {}, "Keys for programs"), this.adding),
      this.place, this.list);
    this.refresh();
  }

  async refresh() {
    try {
      const [keys, cameras] = await Promise.all([get("/v1/keys"), get("/v1/cameras")]);
      this.cameras = cameras.map((each) => [each.name, each.place]);
      this.adding.disabled = false;
      this.list.replaceChildren(...keys.map((key) => this.row(key)));
      if (!keys.length) this.list.replaceChildren(h("li", { class: "quiet" }, "None. A key lets a program in, such as Home Assistant."));
    } catch (trouble) {
      this.list.replaceChildren(h("li", { class: "quiet" }, trouble.message));
    }
  }

  row(key) {
    const used = key.used_at ? `used ${exactTime(key.used_at)}` : "never used";
    const ends = key.expires_at ? `, until ${exactTime(key.expires_at)}` : "";
    return h("li", { data: { key: key.name, state: key.state } },
      h("div", { class: "what" },
        h("strong", {}, key.name), " ", h("code", {}, key.id),
        h("p", { class: "quiet" }, `${key.scopes.join(", ")}; ${key.cameras ? key.cameras.join(", ") || "no camera" : "all cameras"}; `,
          key.state === "valid" ? `${used}${ends}` : key.state)),
      key.state === "valid" ? h("div", { class: "actions" },
        h("button", { class: "button plain", type: "button", onclick: () => this.rotate(key) }, "New secret"),
        h("button", { class: "button plain", type: "button", onclick: () => this.revoke(key) }, "Revoke")) : null);
  }

  add() {
    const panel = form("Make a key", [
      field("name", "Name", { required: true, maxlength: 64, placeholder: "Home Assistant", autocomplete: "off" }),
      several("scopes", "It may", SCOPES, ["read"]),
      several("cameras", "Sees only these cameras (none ticked: all)", this.cameras ?? []),
      choice("days", "Valid", DAYS),
    ], "Make it", async (values, data) => {
      const cameras = data.getAll("cameras");
      const said = { name: values.name, scopes: data.getAll("scopes") };
      if (cameras.length) said.cameras = cameras;
      if (values.days) said.expires_at = new Date(Date.now() + values.days * 86400000).toISOString();
      this.show(await post("/v1/keys", said));
    }, () => this.place.replaceChildren());
    this.place.replaceChildren(panel);
    panel.querySelector("input").focus();
  }

  async rotate(key) {
    try {
      this.show(await post(`/v1/keys/${key.id}/rotate`), "The old secret is taken for another day.");
    } catch (trouble) {
      toast(trouble.message, "error");
    }
  }

  async revoke(key) {
    if (!confirm(`Revoke the key ${key.name}? Its program is shut out at once.`)) return;
    try {
      await remove(`/v1/keys/${key.id}`);
      this.refresh();
      this.onChange();
    } catch (trouble) {
      toast(trouble.message, "error");
    }
  }

  show(key, also = "") {
    const text = h("code", { class: "secret" }, key.key);
    this.place.replaceChildren(h("div", { class: "panel" },
      h("h1", {}, `The key ${key.name}`),
      h("p", {}, "Copy it now: nobody can see it again. ", also), text,
      h("p", { class: "quiet" }, "Send it as Authorization: Bearer <key>; or, for single pictures only, as ?token=<key>."),
      h("div", { class: "actions" },
        navigator.clipboard ? h("button", { class: "button", type: "button", onclick: () => navigator.clipboard.writeText(key.key).then(() => toast("Copied")) }, icon("copy"), "Copy") : null,
        h("button", { class: "button plain", type: "button", onclick: () => this.place.replaceChildren() }, "Done"))));
    this.refresh();
    this.onChange();
  }
}
