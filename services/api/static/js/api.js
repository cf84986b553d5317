// Talks with the API. Every failure is a Trouble that says what happened in words.

export class Trouble extends Error {
  constructor(problem) {
    super(problem.detail || problem.title || "The server did not answer.");
    this.status = problem.status ?? 0;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch {
    throw new Trouble({ detail: "The server can't be reached." });
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Trouble({ status: response.status, ...body });
  return body;
}

export const get = (path) => ask(path);

export const post = (path, body = {}) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const urlsOf = (id) => ({
  page: `/snapshots/${id}`,
  snapshot: `/v1/snapshots/${id}`,
  picture: `/v1/snapshots/${id}/picture`,
  thumbnail: `/v1/snapshots/${id}/thumbnail`,
  original: `/v1/snapshots/${id}/picture?original=1`,
});
