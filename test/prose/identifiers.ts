import ts from "typescript";
import type { Breach } from "./rules.ts";

/**
 * Words in identifiers that are hard to read, with the field's word. The words of an identifier are separated by a
 * space and in lower case. An ordinary word is never wrong by itself.
 */
const words: readonly (readonly [words: RegExp, instead: string])[] = [
  [/\bremed(y|ies)\b/, "hint"],
  [/\bconfinement\b/, "hardening"],
  [/\bstand ins?\b/, "fallback provider"],
  [/\b(trust bundle|authorities)\b/, "CA certificates"],
  [/\b(authority file)\b/, "CA file"],
  [/\bpassword keeper\b/, "passwordVersion, or rotation trigger"],
  [/\b(way back|ways back)\b/, "down migration"],
  [/\b(gives|gave|giving) way\b/, "lock timeout, retrying"],
  [/\b(take|takes|taken|took) back\b/, "recover, or restore"],
  [/\b(patience|grace|at once)\b/, "a name that has the unit: stopTimeoutSeconds, pollIntervalMs"],
  [/\b(witness|hold view|release view)\b/, "snapshot, openSnapshot"],
  [/\b(likeness|belongings)\b/, "copy, objects"],
  [/\b(anew|whosever|beside)\b/, "again, any owner, next to"],
  [/\b(complaint|obstacle)s?\b/, "error, or finding"],
  [/\bscene\b/, "context"],
];

/** Names that others have given, and names in the states of earlier versions. */
const accepted = new Set([
  // An input of the official Docker provider's containers.
  "destroyGraceSeconds",
  // An output of the resource CertificateAuthority.
  "trustBundle",
]);

const candidate = new RegExp(
  words.map(([each]) => each.source.replaceAll("\\b", "").replaceAll(" ", "_?")).join("|"),
  "i",
);

/** Lists the identifiers of a TypeScript or JavaScript file that have hard words. Strings and comments have none. */
export function hardIdentifiersIn(text: string): Breach[] {
  if (!candidate.test(text)) return [];
  const file = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest, false);
  const found: Breach[] = [];
  const visit = (node: ts.Node) => {
    if ((ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) && !accepted.has(node.text)) {
      const separate = wordsOf(node.text);
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      for (const [each, instead] of words)
        if (each.test(separate)) found.push({ line, message: `the name ${node.text} is hard to read: ${instead}` });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Separates the words of an identifier: `#stopTimeoutMs` has the words `stop timeout ms`. */
function wordsOf(identifier: string): string {
  return identifier
    .replaceAll(/[#_$]/g, " ")
    .replaceAll(/([a-z\d])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase();
}
