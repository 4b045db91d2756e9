import type { ImportMap } from "../map.ts";
import type { Proposal } from "./proposal.ts";
import { commentText } from "./sql-text.ts";

/**
 * Writes the map of a proposal as the text of a file. A TypeScript or JavaScript file has what to check as comments.
 *
 * @param ending of the file: `ts`, `mjs` or `json`
 */
export function mapText({ map, unsure }: Pick<Proposal, "map" | "unsure">, ending: "ts" | "mjs" | "json"): string {
  const json = JSON.stringify(map, null, 2);
  if (ending === "json") return `${json}\n`;
  const notes = unsure.map((each) => ` * - ${commentText(each).replaceAll("*/", "* /")}`);
  const head = ["/*", " * Proposed by `pgw import … --infer`. Check it before you use it again."];
  if (notes.length > 0) head.push(" *", " * Not certain:", ...notes);
  head.push(" */");
  const type = ending === "ts" ? ["", 'import type { ImportMap } from "pgroundwork";'] : [];
  const annotation =
    ending === "ts" ? "const map: ImportMap = " : "/** @type {import('pgroundwork').ImportMap} */\nconst map = ";
  return [...head, ...type, "", `${annotation}${moduleText(map)};`, "", "export default map;", ""].join("\n");
}

/** Writes a map as an expression: short columns in one line, names without quotes where they need none. */
function moduleText(map: ImportMap): string {
  return JSON.stringify(map, null, 2)
    .replace(/^(\s*)"([A-Za-z_]\w*)":/gm, "$1$2:")
    .replace(
      /\{\n\s+from: ("(?:[^"\\]|\\.)*"),\n\s+as: \{\n([^{}]*?)\n\s+\}\n\s+\}/g,
      (_, from: string, as: string) => {
        const parts = as.split("\n").map((part) => part.trim());
        return `{ from: ${from}, as: { ${parts.join(" ")} } }`;
      },
    );
}
