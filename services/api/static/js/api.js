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
  if (response.status === 401 && body.type !== "urn:snapbus:problem:login-refused") onLogin();
  if (!response.ok) throw new Trouble({ status: response.status, ...body });
  return body;
}

// What is done when a login is needed: the page says.
let onLogin = () => {};
export const whenLoginIsNeeded = (action) => { onLogin = action; };

const send = (method) => (path, body = {}) =>
  ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const get = (path) => ask(path);

export const post = send("POST");
export const put = send("PUT");
export const patch = send("PATCH");
export const remove = (path) => ask(path, { method: "DELETE" });

export const urlsOf = (id) => ({
  page: `/snapshots/${id}`,
  snapshot: `/v1/snapshots/${id}`,
  picture: `/v1/snapshots/${id}/picture`,
  thumbnail: `/v1/snapshots/${id}/thumbnail`,
  original: `/v1/snapshots/${id}/picture?original=1`,
});
