// Logging in, and making the first account.

import { post } from "./api.js";
import { h } from "./dom.js";
import { field, form } from "./forms.js";

const PASSWORD = { type: "password", required: true, maxlength: 256 };
const NAME = { required: true, maxlength: 64, autocomplete: "username", autocapitalize: "none", spellcheck: "false" };

export class LoginForm {
  constructor(session, onDone) {
    this.session = session;
    this.onDone = onDone;
    this.node = h("section", { class: "login" });
    this.show(session.first ? first : login);
  }

  focus() { this.node.querySelector("input")?.focus(); }

  show(which) {
    const { session } = this;
    this.node.replaceChildren(...[which(session, this.onDone), this.other(which), elsewhere(session)].flat().filter(Boolean));
  }

  // Who is no administrator may have been given an account in a terminal before there is one.
  other(which) {
    if (!this.session.first) return null;
    const [text, next] = which === first ? ["I have an account", login] : ["Make the first account", first];
    return h("button", { class: "link", type: "button", onclick: () => { this.show(next); this.focus(); } }, text);
  }
}

function login(_session, onDone) {
  return [
    form("Log in", [
      field("name", "Name", NAME),
      field("password", "Password", { ...PASSWORD, autocomplete: "current-password" }),
    ], "Log in", async (values) => {
      await post("/v1/session", values);
      onDone();
    }),
    location.hash === "#refused" ? h("p", { class: "trouble", role: "alert" }, "You were not let in there, or have no account here. The log of Snapbus says which.") : null,
  ];
}

function first(session, onDone) {
  return form("The first account", [
    h("p", { class: "quiet" }, "There is no administrator here yet. This account is an administrator and can add others."),
    session.code
      ? field("code", "Code", { required: true, maxlength: 32, autocomplete: "off", placeholder: "ABCD-EFGH-JKLM" },
        "The log of Snapbus shows it: where you started it, or by task logs -- api.")
      : null,
    field("name", "Name", NAME),
    field("password", "Password", { ...PASSWORD, minlength: 8, autocomplete: "new-password" }, "8 characters or more"),
  ], "Make the account", async (values) => {
    await post("/v1/session/first", values);
    onDone();
  });
}

function elsewhere(session) {
  return session.sso ? h("a", { class: "button plain", href: "/v1/session/oidc" }, `Log in with ${session.sso}`) : null;
}
