// The people of the organisation: add, change, remove.

import { get, patch, post, remove } from "./api.js";
import { h, toast } from "./dom.js";
import { choice, field, form, several } from "./forms.js";
import { me } from "./me.js";

const ROLES = [
  ["viewer", "viewer: sees pictures"],
  ["operator", "operator: also asks cameras, and tries again what failed"],
  ["administrator", "administrator: also people and keys"],
];

export class People {
  constructor(onChange) {
    this.onChange = onChange;
    this.list = h("ul", { class: "rows" });
    this.place = h("div", {});
    // Without the cameras to choose from, whoever is added would see all of them.
    this.adding = h("button", { class: "button", type: "button", disabled: true, onclick: () => this.edit(null) }, "Add somebody");
    this.node = h("section", { "aria-label": "People" },
      h("div", { class: "row" }, h("h2", {}, "People"), this.adding),
      this.place, this.list);
    this.refresh();
  }

  async refresh() {
    try {
      const [people, cameras] = await Promise.all([get("/v1/people"), get("/v1/cameras")]);
      this.cameras = cameras.map((each) => [each.name, each.place]);
      this.adding.disabled = false;
      this.list.replaceChildren(...people.map((person) => this.row(person)));
      if (!people.length) this.list.replaceChildren(h("li", { class: "quiet" }, "Nobody yet."));
    } catch (trouble) {
      this.list.replaceChildren(h("li", { class: "quiet" }, trouble.message));
    }
  }

  row(person) {
    return h("li", { data: { person: person.name } },
      h("div", { class: "what" },
        h("strong", {}, person.name), person.name === me.name ? h("small", {}, " (you)") : null,
        h("p", { class: "quiet" }, person.role, ", ", person.cameras ? person.cameras.join(", ") || "no camera" : "all cameras",
          person.elsewhere ? ", logs in elsewhere" : "")),
      h("div", { class: "actions" },
        h("button", { class: "button plain", type: "button", onclick: () => this.edit(person) }, "Change"),
        h("button", { class: "button plain", type: "button", onclick: () => this.remove(person) }, "Remove")));
  }

  edit(person) {
    const seen = person?.cameras ?? null;
    const panel = form(person ? `Change ${person.name}` : "Add somebody", [
      person ? null : field("name", "Name", { required: true, maxlength: 64, autocomplete: "off" }),
      field("password", person ? "New password" : "Password", {
        type: "password", minlength: 8, maxlength: 256, required: !person, autocomplete: "new-password",
      }, person ? "Empty: it stays" : "8 characters or more; they can change it"),
      choice("role", "Role", ROLES, person?.role ?? "viewer"),
      several("cameras", "Sees only these cameras (none ticked: all)", this.cameras ?? [], seen ?? []),
    ], person ? "Change" : "Add", async (values, data) => {
      const cameras = data.getAll("cameras");
      const said = { role: values.role };
      if (values.password) said.password = values.password;
      if (cameras.length) said.cameras = cameras;
      if (person) await patch(`/v1/people/${encodeURIComponent(person.name)}`, { ...said, all_cameras: !cameras.length });
      else await post("/v1/people", { ...said, name: values.name });
      this.done();
    }, () => this.place.replaceChildren());
    this.place.replaceChildren(panel);
    panel.querySelector("input")?.focus();
  }

  async remove(person) {
    if (!confirm(`Remove ${person.name}? What they have open ends.`)) return;
    try {
      await remove(`/v1/people/${encodeURIComponent(person.name)}`);
      this.done();
    } catch (trouble) {
      toast(trouble.message, "error");
    }
  }

  done() {
    this.place.replaceChildren();
    this.refresh();
    this.onChange();
  }
}
