// An OpenAPI document's schemas as flat rows. Pure.

const DEPTH_MAX = 4;

/** The schema of an answer's JSON, if it has one. */
export const schemaOf = (response) => response.content?.["application/json"]?.schema ?? null;

/** Follows a reference inside the document. */
function resolve(schema, document) {
  if (!schema?.$ref) return schema ?? {};
  const found = schema.$ref.replace(/^#\//, "").split("/").reduce((at, key) => at?.[key], document) ?? {};
  return { ...found, description: schema.description ?? found.description, named: schema.$ref.split("/").at(-1) };
}

/** The alternatives of a schema, without null. */
function options(schema, document) {
  const list = schema.oneOf ?? schema.anyOf;
  return list ? list.map((one) => resolve(one, document)).filter((one) => one.type !== "null") : null;
}

export function typeName(schema, document) {
  const is = resolve(schema, document);
  const choice = options(is, document);
  if (choice) return `${choice.map((one) => typeName(one, document)).join(" or ")}${(is.oneOf ?? is.anyOf).length > choice.length ? " or null" : ""}`;
  if (is.enum) return is.enum.map((value) => `"${value}"`).join(", ");
  if (is.const !== undefined) return `"${is.const}"`;
  if (is.allOf || is.properties) return "object";
  if (is.type === "array") return `list of ${typeName(is.items, document)}`;
  return Array.isArray(is.type) ? is.type.join(" or ") : is.type ?? "anything";
}

/** Rows { name, type, about } of all fields, those of inner objects by their path. */
export function fields(schema, document, prefix = "", depth = 0) {
  const is = resolve(schema, document);
  if (depth > DEPTH_MAX) return [];
  if (is.allOf) return is.allOf.flatMap((one) => fields(one, document, prefix, depth));
  if (is.type === "array") return fields(is.items, document, `${prefix}[]`, depth + 1);
  const choice = options(is, document);
  if (choice) return choice.flatMap((one) => fields(one, document, prefix, depth));
  return Object.entries(is.properties ?? {}).flatMap(([key, inner]) => {
    const name = prefix ? `${prefix}.${key}` : key;
    const to = resolve(inner, document);
    return [{ name, type: typeName(inner, document), about: to.description ?? "" }, ...fields(inner, document, name, depth + 1)];
  });
}
