import type { Difference } from "../../../catalog/compare.ts";

/** Describes an object that differs, with its definitions. */
export function describeDifference({ kind, name, what, expected, found }: Difference): string {
  const lines = [`- ${what} ${kind} ${name}`];
  if (what === "different") lines.push(...changedLines(expected ?? "", found ?? ""));
  else lines.push(...indented(what === "missing" ? "-" : "+", expected ?? found ?? ""));
  return lines.join("\n");
}

/** Returns the lines that only one of the definitions has; lines in both would hide the difference. */
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
