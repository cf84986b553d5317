// Builds elements. Text only ever becomes text nodes, so no name or error text can become markup.

const SVG = "http://www.w3.org/2000/svg";

function build(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((each) => each !== null && each !== undefined && each !== false));
  return node;
}

export const h = (tag, props, ...children) => build(document.createElement(tag), props, children);

export const svg = (tag, props, ...children) => build(document.createElementNS(SVG, tag), props, children);

export const byId = (id) => document.getElementById(id);

const ICONS = {
  camera: "M4 8.500A2.500 2.500 0 0 1 6.500 6h2L10 4h4l1.500 2h2A2.500 2.500 0 0 1 20 8.500v8a2.500 2.500 0 0 1-2.500 2.500h-11A2.500 2.500 0 0 1 4 16.500zM12 15.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6",
  close: "M6 6l12 12M18 6L6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  up: "M12 19V5M6 11l6-6 6 6",
  download: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  boxes: "M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M9 9h6v6H9z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  again: "M20 12a8 8 0 1 1-2.500-5.800M20 3v4h-4",
  light: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.500 1.500M17.500 17.500L19 19M19 5l-1.500 1.500M6.500 17.500L5 19",
  dark: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.5",
  broken: "M4 5h16v14H4zM4 15l4-4 3 3M13 5l-2 5 3 2-2 7",
  check: "M5 12.500l4.500 4.500L19 7.500",
};

export const icon = (name) =>
  svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

export function toast(text, kind = "info") {
  const note = h("div", { class: "toast", data: { kind } }, text);
  byId("toasts").append(note);
  setTimeout(() => note.remove(), kind === "error" ? 12000 : 5000);
}
