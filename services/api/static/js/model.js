// A snapshot as events make it: the same rules by which the journal keeps its catalogue.

import { urlsOf } from "./api.js";

const RANK = { taken: 0, analyzed: 1, skipped: 2, archived: 3, quarantined: 4 };
const places = new Map();

export const namePlaces = (cameras) => cameras.forEach((camera) => places.set(camera.name, camera.place));
export const placeOf = (camera) => places.get(camera) ?? camera;

export function fromTaken(event) {
  const { camera, door, name = "", captured_at, captured_by, received_at, skew_s = null, trigger = "", size, media_type, sha256 } = event.data;
  return {
    id: event.snapshotid, camera, place: placeOf(camera), door, name, captured_at, captured_by, received_at, skew_s, trigger, size,
    media_type, sha256, state: "taken", dead: [], analysis: null, analyses: [], detections: [],
    label_counts: {}, person_count: null, human_seen: null, archive: null, filings: [],
    urls: urlsOf(event.snapshotid),
  };
}

const forward = (snapshot, state) => (RANK[state] > (RANK[snapshot.state] ?? -1) ? state : snapshot.state);

const others = (list, key, name) => list.filter((each) => each[key] !== name);

const detectorFirst = (a, b) =>
  Number(b.analyzed) - Number(a.analyzed) || (b.analyzer === "detector") - (a.analyzer === "detector")
  || a.analyzer.localeCompare(b.analyzer);

// What one archive did with it; what it holds, it does not skip afterwards.
function filed(snapshot, data, state) {
  const { archive = "folder", path = "", policy = "" } = data;
  const before = snapshot.filings.find((each) => each.archive === archive);
  const filing = before?.state === "archived" ? before : { archive, state, path, policy };
  const filings = [...others(snapshot.filings, "archive", archive), filing].sort((a, b) => a.archive.localeCompare(b.archive));
  const dead = state === "archived" ? [] : snapshot.dead;
  return { ...snapshot, archive: filings[0], filings, dead, state: forward(snapshot, state) };
}

// The most that one analyser counted.
function counted(snapshot, { label_counts: found = {}, person_count: people = null }) {
  const label_counts = { ...snapshot.label_counts };
  for (const [label, count] of Object.entries(found)) label_counts[label] = Math.max(count, label_counts[label] ?? 0);
  const person_count = people === null ? snapshot.person_count : Math.max(people, snapshot.person_count ?? 0);
  return { label_counts, person_count, human_seen: person_count === null ? null : person_count > 0 };
}

// The snapshot after an event, or the same one when the event says nothing of it.
export function after(snapshot, event) {
  const data = event.data;
  switch (event.type) {
    case "snapshot.analyzed": {
      const { analyzer = "detector", detections: found = [] } = data;
      const analyses = [...others(snapshot.analyses, "analyzer", analyzer), { ...data, analyzer }].sort(detectorFirst);
      const detections = [...others(snapshot.detections, "analyzer", analyzer), ...found.map((each) => ({ ...each, analyzer }))]
        .sort((a, b) => b.confidence - a.confidence);
      return {
        ...snapshot, analysis: analyses[0], analyses, detections, ...counted(snapshot, data), dead: [],
        state: forward(snapshot, "analyzed"),
      };
    }
    case "snapshot.archived":
    case "snapshot.skipped":
      return filed(snapshot, data, event.type.replace("snapshot.", ""));
    case "snapshot.rejected":
      return { ...snapshot, state: forward(snapshot, "quarantined") };
    default:
      return snapshot;
  }
}

export function fits(snapshot, { camera, persons, label, label_count: least, state }) {
  if (camera && snapshot.camera !== camera) return false;
  if (persons === "0" && snapshot.person_count !== 0) return false;
  if (persons && (snapshot.person_count ?? -1) < Number(persons)) return false;
  if (label && (snapshot.label_counts[label] ?? 0) < Number(least || 1)) return false;
  if (state === "dead") return snapshot.dead.length > 0;
  return !state || snapshot.state === state;
}
