// The story of a snapshot: every event in words, when it was, and how long after the picture.

import { h } from "./dom.js";
import { doorWords, percent, plural, preciseTime, seen, size, span, triggerWords } from "./words.js";

// What needs more words than the title that its event declares.
const TELL = {
  "snapshot.requested": ({ reason }) => ["Asked for", { manual: "by hand", interval: "by the clock", event: "by an event", unsound: "again, as the first was damaged" }[reason] ?? reason],
  "snapshot.taken": ({ door, size: bytes, trigger }) =>
    [doorWords(door).taken, `${size(bytes)}, ${trigger ? `because of ${triggerWords(trigger)}, ` : ""}stored and catalogued`],
  "snapshot.analyzed": (data) => data.analyzed
    ? [by(data, "Analysed"), `${data.detections?.length ? seen(data).map(({ label, count, confidence }) => `${count > 1 ? `${count} × ` : ""}${label} ${percent(confidence)}`).join(", ") : "nothing found"} · ${data.model}`]
    : [by(data, "Not analysed"), data.reason],
  "snapshot.notified": ({ told, reason, routing_key: key }) => [told ? "House told" : "House not told", told ? key : reason],
  "snapshot.rejected": ({ reason }) => ["Put in quarantine", reason],
  "snapshot.archived": ({ archive, kind = "original", path }) => [kind === "original" ? `Filed in the ${archive}` : `Filed in the ${archive} (${kind})`, path],
  "snapshot.refiled": ({ archive, reason, path }) => [`Put back into the ${archive}`, [reason, path].filter(Boolean).join(": ")],
  "snapshot.kept": ({ kept, holder, who }) => [kept ? "Kept" : "No longer kept", who || (holder === "page" ? "" : `starred in the ${holder}`)],
  "snapshot.skipped": ({ archive = "folder", policy }) => [archive === "folder" ? "Not filed" : `Not filed in ${archive}`, policy === "off" ? "the archive is switched off" : `the archive keeps only ${policy}`],
};

// The detector is understood; another analyser is named.
function by({ analyzer = "detector" }, what) {
  return analyzer === "detector" ? what : `${what} by ${analyzer}`;
}

const since = (seconds) => (seconds < 0 ? `${span(-seconds)} before` : seconds === 0 ? "0 ms" : `+${span(seconds)}`);

export function storyOf(snapshot, story) {
  const last = story.at(-1);
  const total = last && last.since_taken_s > 0 ? `${plural(story.length, "event")}, ${span(last.since_taken_s)} from arrival to the last` : null;
  return h("div", {},
    h("ol", { class: "story" }, story.map(entry)),
    total ? h("p", { class: "quiet" }, total) : null);
}

function entry(event) {
  const [title, text] = TELL[event.topic]?.(event.data) ?? [event.title, event.data.reason ?? ""];
  const steps = Object.entries(event.data.milliseconds ?? {});
  return h("li", { data: { topic: event.topic } },
    h("div", { class: "line" }, h("strong", {}, title), h("span", { class: "since" }, since(event.since_taken_s))),
    text ? h("p", {}, text) : null,
    steps.length ? h("p", { class: "steps" }, steps.map(([name, ms]) => h("span", {}, `${name} ${span(ms / 1000)}`))) : null,
    h("details", {},
      h("summary", {}, h("time", { datetime: event.time }, preciseTime(event.time)), ` · ${event.topic} · ${event.published_at ? "published" : "not published yet"}`),
      h("pre", {}, JSON.stringify({ id: event.id, source: event.source, time: event.time, recorded_at: event.recorded_at, published_at: event.published_at, cause: event.cause, traceparent: event.traceparent, data: event.data }, null, 2))));
}
