// The reference of the API, drawn from /openapi.json; GET requests can be tried here.

import { byId, h } from "./dom.js";

const spec = await (await fetch("/openapi.json")).json();

const named = (schema) => schema.$ref ? spec.components.schemas[schema.$ref.split("/").at(-1)] : schema;

function kind(schema = {}, depth = 0) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  const some = schema.anyOf ?? schema.oneOf;
  if (some) return some.map((each) => kind(each, depth)).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${schema.items ? kind(schema.items, depth + 1) : "anything"}`;
  return [schema.type, schema.format].filter(Boolean).join(", ") || "anything";
}

const table = (rows) => h("table", {}, h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell))))));

function shape(schema) {
  const model = named(schema);
  if (schema.type === "array") return [h("p", { class: "quiet" }, "A list of:"), shape(schema.items)];
  if (!model?.properties) return h("p", {}, kind(schema));
  return [
    model.description ? h("p", { class: "quiet" }, model.description) : null,
    table(Object.entries(model.properties).map(([name, each]) => [h("code", {}, name), kind(each), each.description ?? ""])),
  ];
}

function parameters(list = []) {
  return list.map(({ name, in: where, schema, description, required }) =>
    [h("code", {}, name), `${where}, ${kind(schema)}${required ? ", required" : ""}`, description ?? schema.description ?? ""]);
}

function attempt(path) {
  const out = h("pre", { hidden: true });
  const go = async () => {
    const response = await fetch(path);
    const text = await response.text();
    out.hidden = false;
    try { out.textContent = `${response.status}\n${JSON.stringify(JSON.parse(text), null, 2)}`; }
    catch { out.textContent = `${response.status}\n${text}`; }
  };
  return [h("div", {}, h("button", { class: "button plain", type: "button", onclick: go }, "Try it")), out];
}

function operation(method, path, about) {
  const good = Object.entries(about.responses).find(([status]) => status.startsWith("2"));
  const answer = good?.[1].content?.["application/json"]?.schema;
  const body = about.requestBody?.content?.["application/json"]?.schema;
  const params = parameters(about.parameters);
  const canTry = method === "get" && !path.includes("{") && path !== "/v1/events";
  const host = `${location.protocol}//${location.host}`;
  const line = method === "get" ? `curl -H 'Authorization: Bearer snapbus_…' ${host}${path}` : `curl -X ${method.toUpperCase()} -H 'Authorization: Bearer snapbus_…' -H 'Content-Type: application/json' -d '{}' ${host}${path}`;
  return h("details", {},
    h("summary", {}, h("b", { class: `method ${method}` }, method.toUpperCase()), h("code", {}, path), h("span", {}, about.description?.split(/(?<=\.)\s/)[0] ?? about.summary)),
    h("div", { class: "body" },
      about.description ? h("p", {}, about.description) : null,
      params.length ? table(params) : null,
      body ? [h("strong", {}, "Body"), shape(body)] : null,
      answer ? [h("strong", {}, `Answer ${good[0]}`), shape(answer)] : null,
      h("pre", {}, line),
      canTry ? attempt(path) : null));
}

const groups = new Map();
for (const [path, methods] of Object.entries(spec.paths)) {
  for (const [method, about] of Object.entries(methods)) {
    const tag = about.tags?.[0] ?? "more";
    groups.set(tag, [...(groups.get(tag) ?? []), operation(method, path, about)]);
  }
}
byId("reference").replaceChildren(
  h("div", {}, h("h1", {}, `${spec.info.title} API`), h("p", { class: "quiet" }, spec.info.description, " Errors are problems as of RFC 9457. The machine-readable form is ", h("a", { href: "/openapi.json" }, "openapi.json"), ".")),
  ...[...groups].flatMap(([tag, operations]) => [h("h2", {}, tag), ...operations]));
