// The button that changes between light and dark.

import { byId, icon } from "./dom.js";

export function theme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: light)");
  const isLight = () => (root.dataset.theme ?? (system.matches ? "light" : "dark")) === "light";
  const button = byId("theme");
  const draw = () => button.replaceChildren(icon(isLight() ? "dark" : "light"));
  button.addEventListener("click", () => {
    root.dataset.theme = isLight() ? "dark" : "light";
    localStorage.setItem("theme", root.dataset.theme);
    draw();
  });
  system.addEventListener("change", draw);
  draw();
}
