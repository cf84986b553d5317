// What is said where there is nothing: why, and what to do next.

import { h, icon } from "./dom.js";

const panel = (name, title, ...rest) =>
  h("div", { class: "empty" }, icon(name), h("h2", {}, title), ...rest);

export const noMatch = (onClear) =>
  panel("boxes", "No snapshot matches these filters",
    h("p", {}, "New ones that match will appear here by themselves."),
    h("button", { class: "button", type: "button", onclick: onClear }, "Show all snapshots"));

export const noCameras = () =>
  panel("camera", "No camera is configured yet",
    h("p", {}, "Name your first one in ", h("code", {}, "config/snapbus.yml"), "; it counts within seconds:"),
    h("pre", {}, "cameras:\n  porch:\n    place: Front door\n    ftp:\n      password: choose-one"),
    h("p", {}, "Then point the camera's FTP upload at this machine."));

export function noPictures(cameras) {
  return panel("camera", "No snapshot yet",
    h("p", {}, "Snapbus is ready. As soon as a camera delivers, its picture appears here by itself."),
    h("ul", { class: "howto" }, cameras.map((camera) =>
      h("li", {}, h("strong", {}, camera.place), camera.doors.length
        ? camera.doors.map((door) => how(door, camera.name))
        : h("p", {}, "It has no door yet: give it ftp, mail, http, folder or fetch in the configuration.")))));
}

function how(door, camera) {
  if (door.kind === "ftp") {
    return h("div", {}, h("p", {}, "In the camera's settings, under FTP:"),
      h("dl", { class: "facts" },
        h("dt", {}, "Server"), h("dd", {}, location.hostname),
        h("dt", {}, "Port"), h("dd", {}, `${door.port}`, h("small", {}, " (21 with Docker Compose)")),
        h("dt", {}, "User"), h("dd", {}, door.account),
        h("dt", {}, "Password"), h("dd", {}, "the one in your configuration"),
        h("dt", {}, "Mode"), h("dd", {}, "passive (PASV)")),
      h("p", {}, "Then press the camera's own test button: the test is told here as well."));
  }
  if (door.kind === "mail") {
    return h("div", {}, h("p", {}, "In the camera's settings, under e-mail or SMTP:"),
      h("dl", { class: "facts" },
        h("dt", {}, "Server"), h("dd", {}, location.hostname),
        h("dt", {}, "Port"), h("dd", {}, `${door.port}`, h("small", {}, " (see .env with Docker Compose)")),
        h("dt", {}, "Encryption"), h("dd", {}, "STARTTLS or none", door.tls_port ? `; SSL at port ${door.tls_port}` : ""),
        h("dt", {}, "User"), h("dd", {}, door.account),
        h("dt", {}, "Password"), h("dd", {}, "the one in your configuration"),
        h("dt", {}, "Recipient"), h("dd", {}, `${camera}@snapbus.local`),
        h("dt", {}, "Attachment"), h("dd", {}, "a picture")),
      h("p", {}, "Then press the camera's own test button: the test is told here as well."));
  }
  if (door.kind === "http") {
    return h("div", {}, h("p", {}, "With a key of scope ingest for this camera, in one line:"),
      h("pre", {}, `curl -H "Authorization: Bearer <key>" -T snapshot.jpg ${location.origin}/v1/cameras/${camera}/snapshots/`));
  }
  if (door.kind === "folder") return h("p", {}, "Put a JPEG or PNG into its folder.");
  if (door.kind !== "fetch") return h("p", {}, `It delivers by ${door.kind}.`);
  return h("p", {}, door.every_s ? `It is asked every ${door.every_s} seconds; or press “Take a picture” above.` : "Press “Take a picture” above.");
}
