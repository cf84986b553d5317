// The page of who is logged in: which view an address means, the one stream of events, the state in
// the corner.

import { Access } from "./access.js";
import { get } from "./api.js";
import { Cameras } from "./cameras.js";
import { byId, h } from "./dom.js";
import { Gallery } from "./gallery.js";
import { Live } from "./live.js";
import { namePlaces } from "./model.js";
import { System } from "./system.js";
import { Viewer } from "./viewer.js";
import { ago } from "./words.js";

const HEALTH_MS = 10000;
const CAMERAS_MS = 30000;
const content = byId("content");
const page = { view: null, name: "", strip: null, cameras: [], gallery: "/" };

const viewer = new Viewer(
  (id, step) => page.view?.neighbour?.(id, step) ?? null,
  (snapshot) => {
    if (snapshot) history.replaceState({ inside: true }, "", snapshot.urls.page);
    else if (history.state?.inside) history.back();
    else go(page.name === "gallery" ? page.gallery : `/${page.name}`, true);
  });

function openSnapshot(snapshot) {
  history.pushState({ inside: true }, "", snapshot.urls.page);
  viewer.open(snapshot);
}

async function readCameras() {
  const cameras = await get("/v1/cameras").catch(() => null);
  if (!cameras) return;
  page.cameras = cameras;
  namePlaces(cameras);
  page.strip?.draw(cameras);
}

function show(name) {
  if (page.name === name) return;
  page.view?.close();
  page.name = name;
  const plain = { system: System, access: Access }[name];
  if (plain) {
    page.strip = null;
    page.view = new plain();
    content.replaceChildren(page.view.node);
  } else {
    page.strip = new Cameras(page.cameras, (camera) => page.view.bar.set("camera", camera));
    page.view = new Gallery(page.cameras, openSnapshot);
    content.replaceChildren(page.strip.node, page.view.node);
  }
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (link.dataset.nav === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Draws what the address says.
function route() {
  const [, first, id] = location.pathname.split("/");
  if (first === "snapshots" && id) {
    if (!page.name) show("gallery");
    if (viewer.snapshot?.id !== id) viewer.openById(decodeURIComponent(id));
    return;
  }
  viewer.close();
  const name = { system: "system", access: "access" }[first] ?? "gallery";
  show(name);
  document.title = name === "gallery" ? "Snapbus" : `${name[0].toUpperCase()}${name.slice(1)} · Snapbus`;
}

function go(address, replace = false) {
  history[replace ? "replaceState" : "pushState"]({}, "", address);
  route();
}

document.addEventListener("click", (click) => {
  const link = click.target.closest("a[data-route]");
  if (!link || click.metaKey || click.ctrlKey || click.shiftKey) return;
  click.preventDefault();
  const { pathname } = new URL(link.href);
  if (pathname.startsWith("/snapshots/")) {
    history.pushState({ inside: true }, "", pathname);
    route();
    return;
  }
  go(pathname);
  scrollTo(0, 0);
});
addEventListener("popstate", route);

async function readHealth() {
  const corner = byId("health");
  try {
    const health = await get("/v1/health");
    corner.dataset.status = health.status;
    corner.lastElementChild.textContent = { ok: "All well", degraded: "Needs a look", stuck: "Stuck" }[health.status];
    corner.title = health.problems.join("\n");
    byId("version").textContent = `Snapbus ${health.version}`;
  } catch (trouble) {
    corner.dataset.status = "stuck";
    corner.lastElementChild.textContent = trouble.status === 503 ? "No database" : "No answer";
    corner.title = trouble.message;
  }
}

function link(isUp, missed) {
  const banner = byId("banner");
  banner.hidden = isUp;
  banner.replaceChildren(h("i", { class: "dot" }), "The connection is lost. What you see may be old; trying again …");
  if (isUp && missed) {
    page.view?.reload?.();
    readCameras();
  }
  readHealth();
}

function take(event) {
  page.strip?.take(event);
  page.view?.take(event);
  viewer.take(event);
}

export async function start() {
  await readCameras();
  route();
  new Live(take, link);
  readHealth();
  setInterval(readHealth, HEALTH_MS);
  setInterval(readCameras, CAMERAS_MS);
  setInterval(() => {
    for (const node of document.querySelectorAll("[data-ago]")) node.textContent = ago(node.dataset.ago);
  }, 5000);
}
