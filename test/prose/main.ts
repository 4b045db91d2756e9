import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cloneRoot } from "../clone-root.ts";
import { hardIdentifiersIn } from "./identifiers.ts";
import { phrasesIn } from "./phrases.ts";
import { type Breach, breachesIn } from "./rules.ts";

// Part of `npm run check`: prints every place of the project's own texts that breaks a rule.

/**
 * Files that may have hard phrases: the list itself and its test, recorded texts of earlier versions, and files that
 * deployed stacks contain, because a new text would change the stack.
 */
const mayHavePhrases = /^(test\/(prose|unit\/prose|fixtures)|infra\/(monitoring|images))\//;

function breachesOf(file: string): Breach[] {
  const text = readFileSync(join(cloneRoot, file), "utf8");
  const isCode = /\.(ts|mjs)$/.test(file);
  return [
    ...(isCode ? [...breachesIn(text), ...hardIdentifiersIn(text)] : []),
    ...(mayHavePhrases.test(file) ? [] : phrasesIn(text)),
  ];
}

const patterns = ["*.ts", "*.mjs", "*.md", "*.yaml", "*.yml"];
const listed = execFileSync("git", ["ls-files", "-z", ...patterns], { cwd: cloneRoot, encoding: "utf8" });
const breaches = listed
  .split("\0")
  // Generated types repeat the comments of the catalog.
  .filter((file) => file !== "" && !/^migrations\/[^/]+\/types\.ts$/.test(file) && existsSync(join(cloneRoot, file)))
  .flatMap((file) => breachesOf(file).map(({ line, message }) => `${file}:${line}: ${message}`));
if (breaches.length > 0) {
  process.stderr.write(`${breaches.join("\n")}\n${breaches.length} places\n`);
  process.exitCode = 1;
}
