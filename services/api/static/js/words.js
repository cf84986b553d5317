// Says things in words: times, sizes, states, and what was seen.

const locale = undefined; // the browser's
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const precise = new Intl.DateTimeFormat(locale, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});
const weekday = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });

export const timeOf = (text) => clock.format(new Date(text));
export const exactTime = (text) => exact.format(new Date(text));
export const preciseTime = (text) => precise.format(new Date(text));

export function dayOf(text) {
  const day = new Date(text);
  const today = new Date();
  const yesterday = new Date(today);
  yesterday.setDate(today.getDate() - 1);
  if (day.toDateString() === today.toDateString()) return "Today";
  if (day.toDateString() === yesterday.toDateString()) return "Yesterday";
  return weekday.format(day) + (day.getFullYear() === today.getFullYear() ? "" : ` ${day.getFullYear()}`);
}

export function span(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export function ago(text) {
  const seconds = (Date.now() - new Date(text)) / 1000;
  return seconds < 8 ? "just now" : `${span(seconds)} ago`;
}

export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let power = 0;
  while (bytes >= 1000 && power < units.length - 1) { bytes /= 1000; power += 1; }
  return `${bytes.toFixed(power && bytes < 10 ? 1 : 0)} ${units[power]}`;
}

export const percent = (fraction) => `${Math.round(fraction * 100)} %`;

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;

const KINDS = {
  person: ["person"],
  vehicle: ["car", "truck", "bus", "motorcycle", "bicycle", "train", "boat", "airplane"],
  animal: ["dog", "cat", "bird", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"],
};

export function kindOf(label) {
  return Object.keys(KINDS).find((kind) => KINDS[kind].includes(label)) ?? "thing";
}

// Label, how often, and how sure at best; people first.
export function seen(snapshot) {
  const found = new Map();
  for (const { label, confidence } of snapshot.detections) {
    const entry = found.get(label) ?? { label, count: 0, confidence: 0 };
    entry.count += 1;
    entry.confidence = Math.max(entry.confidence, confidence);
    found.set(label, entry);
  }
  const weight = (entry) => (entry.label === "person" ? 1 : 0) + entry.confidence;
  return [...found.values()].sort((a, b) => weight(b) - weight(a));
}

// "Human seen: 2 people. 2 × person, 1 × car"
export function inNumbers({ person_count: people, human_seen: human, label_counts: counts }) {
  const sure = human === null ? "" : human ? `Human seen: ${plural(people, "person", "people")}. ` : "No human seen for sure. ";
  return sure + Object.entries(counts).map(([label, count]) => `${count} × ${label}`).join(", ");
}

const STATES = {
  taken: ["Taken", "Stored; waiting for the detector"],
  analyzed: ["Analysed", "Waiting for the archive"],
  archived: ["Archived", "Filed, and its checksum confirmed"],
  skipped: ["Kept here", "The archive does not want it, or is switched off; it stays in the store"],
  quarantined: ["Quarantined", "Damaged; kept apart"],
  dead: ["Gave up", "A service gave up on it; see the story"],
};

export const STATE_NAMES = Object.fromEntries(Object.entries(STATES).map(([key, [name]]) => [key, name]));

export function stateOf(snapshot) {
  const key = snapshot.dead.length && snapshot.state !== "archived" ? "dead" : snapshot.state;
  if (key === "analyzed" && snapshot.analysis?.analyzed === false) {
    return { key: "blind", name: "Not analysed", title: snapshot.analysis.reason };
  }
  const [name, title] = STATES[key] ?? [key, ""];
  return { key, name, title };
}

export function verdict(snapshot) {
  if (snapshot.state === "quarantined") return { key: "damaged", text: "Damaged picture" };
  if (!snapshot.analysis) return { key: "waiting", text: snapshot.dead.length ? "No result" : "Being analysed …" };
  if (!snapshot.analysis.analyzed) return { key: "blind", text: `Not analysed: ${snapshot.analysis.reason || "no reason given"}` };
  if (!snapshot.detections.length) return { key: "nothing", text: "Nothing found" };
  return { key: "seen", text: "" };
}

const DOORS = {
  ftp: { name: "FTP push", taken: "Pushed by FTP" },
  mail: { name: "mail", taken: "Sent by mail" },
  http: { name: "HTTP", taken: "Sent by HTTP" },
  folder: { name: "folder", taken: "Taken from its folder" },
  fetch: { name: "fetch", taken: "Fetched from the camera" },
};

// A door that is not known here shows its own name.
export const doorWords = (door) => DOORS[door] ?? { name: door, taken: `Taken by ${door}` };

// Why a camera took a picture, as "line crossing".
export const triggerWords = (trigger) => (trigger ?? "").replaceAll("_", " ");

const TIMES = { name: "the file's name", exif: "the picture's header", sender: "its sender", arrival: "arrival" };

export const timeWords = (by) => TIMES[by] ?? by;

// "1 h behind the arrival"
export const skewWords = (seconds) =>
  (seconds == null ? "" : `${span(Math.abs(seconds))} ${seconds > 0 ? "ahead of" : "behind"} the arrival`);

// "2 × person 91 %, car 80 %, Front door, 12:03"
export function describe(snapshot) {
  const what = seen(snapshot).map(({ label, count, confidence }) =>
    `${count > 1 ? `${count} × ` : ""}${label} ${percent(confidence)}`);
  const first = what.length ? what.join(", ") : verdict(snapshot).text;
  return `${first}, ${snapshot.place}, ${timeOf(snapshot.captured_at)}`;
}
