// A snapshot as events make it: the same rules by which the journal keeps its catalogue.

import { urlsOf } from "./api.js";

const RANK = { taken: 0, analyzed: 1, skipped: 2, archived: 3, quarantined: 4 };
const places = new Map();

export const namePlaces = (cameras) => cameras.forEach((camera) => places.set(camera.name, camera.place));
export const placeOf = (camera) => places.get(camera) ?? camera;

export function fromTaken(event) {
  const { camera, door, name = "", captured_at, captured_by, received_at, size, media_type, sha256 } = event.data;
  return {
    id: event.snapshotid, camera, place: placeOf(camera), door, name, captured_at, captured_by, received_at, size,
    media_type, sha256, state: "taken", dead: [], analysis: null, detections: [], archive: null,
    urls: urlsOf(event.snapshotid),
  };
}

const forward = (snapshot, state) => (RANK[state] > (RANK[snapshot.state] ?? -1) ? state : snapshot.state);

// The snapshot after an event, or the same one when the event says nothing of it.
export function after(snapshot, event) {
  const data = event.data;
  switch (event.type) {
    case "snapshot.analyzed": {
      const detections = [...(data.detections ?? [])].sort((a, b) => b.confidence - a.confidence);
      return { ...snapshot, analysis: data, detections, dead: [], state: forward(snapshot, "analyzed") };
    }
    case "snapshot.archived":
      return { ...snapshot, archive: data, dead: [], state: forward(snapshot, "archived") };
    case "snapshot.skipped":
      return { ...snapshot, archive: snapshot.archive ?? data, state: forward(snapshot, "skipped") };
    case "snapshot.rejected":
      return { ...snapshot, state: forward(snapshot, "quarantined") };
    default:
      return snapshot;
  }
}

export function fits(snapshot, { camera, label, state }) {
  if (camera && snapshot.camera !== camera) return false;
  if (label && !snapshot.detections.some((each) => each.label === label)) return false;
  if (state === "dead") return snapshot.dead.length > 0;
  return !state || snapshot.state === state;
}
