// Who is logged in: what they may do shows on the page, and they can go or change their password.

import { put, remove } from "./api.js";
import { byId, h, toast } from "./dom.js";
import { field, form } from "./forms.js";

export const me = { rights: [], kind: "nobody", name: "" };

export function showMe(session) {
  Object.assign(me, session);
  document.body.dataset.rights = session.rights.join(" ");
  for (const link of document.querySelectorAll("[data-needs]")) link.hidden = !session.rights.includes(link.dataset.needs);
  byId("open").hidden = session.kind !== "open";
  const corner = byId("me");
  corner.hidden = session.kind === "open";
  const name = h("span", { class: "name", title: `${session.role}${session.cameras ? `, sees ${session.cameras.join(", ")}` : ""}` },
    session.kind === "local" ? "this machine" : session.name);
  corner.replaceChildren(name);
  if (session.kind !== "person") return;
  corner.append(
    h("button", { class: "link", type: "button", onclick: changePassword }, "Password"),
    h("button", { class: "link", type: "button", id: "logout", onclick: logOut }, "Log out"));
}

async function logOut() {
  try {
    history.replaceState({}, "", "/");
    await remove("/v1/session");
    location.reload();
  } catch (trouble) {
    toast(trouble.message, "error");
  }
}

function changePassword() {
  const dialog = h("dialog", { class: "small", "aria-label": "Change your password" });
  const close = () => { dialog.close(); dialog.remove(); };
  dialog.append(form("Change your password", [
    field("old", "Your password", { type: "password", autocomplete: "current-password", required: true }),
    field("new", "The new one", { type: "password", autocomplete: "new-password", minlength: 8, required: true }),
  ], "Change it", async (values) => {
    await put("/v1/session/password", values);
    close();
    toast("Your password is changed; your other sessions ended.", "good");
  }, close));
  document.body.append(dialog);
  dialog.showModal();
}
