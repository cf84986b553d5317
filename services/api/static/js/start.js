// The first thing: who is here. The page itself follows for whom it is.

import { get, whenLoginIsNeeded } from "./api.js";
import { theme } from "./colours.js";
import { byId, h, icon } from "./dom.js";
import { LoginForm } from "./login.js";
import { showMe } from "./me.js";

const AGAIN_MS = 3000;
const content = byId("content");

function ask(session) {
  document.body.classList.add("locked");
  document.title = "Log in · Snapbus";
  const form = new LoginForm(session, () => location.reload());
  content.replaceChildren(form.node);
  form.focus();
}

async function begin() {
  let session;
  try {
    session = await get("/v1/session");
  } catch (trouble) {
    content.replaceChildren(h("div", { class: "empty" }, icon("warning"), h("h2", {}, "Nobody can log in now"),
      h("p", {}, trouble.message), h("p", {}, "Trying again …")));
    setTimeout(begin, AGAIN_MS);
    return;
  }
  if (session.kind === "nobody") {
    ask(session);
    return;
  }
  document.body.classList.remove("locked");
  whenLoginIsNeeded(() => location.reload());
  showMe(session);
  const page = await import("./main.js").catch(() => null);
  if (page) await page.start();
  else setTimeout(() => location.reload(), AGAIN_MS); // the server went away meanwhile
}

theme();
await begin();
