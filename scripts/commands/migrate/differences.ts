import type { Difference } from "../../catalog/compare.ts";

/** An object that is not as it should be, with its definitions. */
export function describeDifference({ kind, name, what, expected, found }: Difference): string {
  const lines = [`- ${what} ${kind} ${name}`];
  if (what === "different") lines.push(...changedLines(expected ?? "", found ?? ""));
  else lines.push(...indented(what === "missing" ? "-" : "+", expected ?? found ?? ""));
  return lines.join("\n");
}

/** What only one of them has; lines that both have would hide it. */
function changedLines(expected: string, found: string): string[] {
  const [before, after] = [expected.split("\n"), found.split("\n")];
  return [
    ...indented("-", before.filter((line) => !after.includes(line)).join("\n")),
    ...indented("+", after.filter((line) => !before.includes(line)).join("\n")),
  ];
}

function indented(mark: string, text: string): string[] {
  return text === "" ? [] : text.split("\n").map((line) => `    ${mark} ${line}`);
}
