const width = 120;

/** Formats JSON for readers: a value that fits on one line is printed on one line. */
export function formatted(value: unknown, indent = ""): string {
  const line = oneLine(value);
  if (indent.length + line.length <= width || typeof value !== "object" || value === null) return line;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value)
    ? value.map((item) => formatted(item, deeper))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${formatted(item, deeper)}`);
  return `${open}\n${items.map((item) => deeper + item).join(",\n")}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const items = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return items.length === 0 ? "{}" : `{ ${items.join(", ")} }`;
}
