import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseDatabaseFile } from "../../scripts/databases/database-schema.ts";
import { parseSettings } from "../../scripts/settings/settings.ts";
import { cloneRoot } from "../clone-root.ts";
import { type CodeBlock, codeBlocksIn, codeBlocksOf, pages, scriptOf } from "../support/code-blocks.ts";

const blocks = pages().flatMap(codeBlocksOf);
const running = (language: string) => blocks.filter((block) => block.language === language && block.mark === "run");
const placeOf = ({ page, line }: CodeBlock) => `${page}:${line}`;

describe("a code block of a page", () => {
  it("has a language and is marked as run, run docker or shown", () => {
    expect(pages()).toContain("migrations/README.md");
    expect(blocks.filter(({ language, mark }) => language === "" || mark === undefined).map(placeOf)).toEqual([]);
  });

  it("runs only if a test can run its language", () => {
    const runs = blocks.filter(({ mark, language }) => mark !== "shown" && !/^(sh|ts|json|yaml)$/.test(language));
    expect(runs.map(placeOf)).toEqual([]);
  });

  it("is shown only in a known share of cases", ({ annotate }) => {
    const share = (all: readonly CodeBlock[]) =>
      `${all.filter(({ mark }) => mark === "shown").length} of ${all.length}`;
    const commands = blocks.filter(({ language }) => language === "sh" || language === "ts");
    const text = `shown only: ${share(blocks)} code blocks, ${share(commands)} with commands or programs`;
    process.stdout.write(`${text}\n`);
    expect(text).toMatch(/^shown only: \d+ of \d+/);
    return annotate(text);
  });

  it.each(running("json").map((block) => [placeOf(block), block.text]))(
    "in JSON is a database.json: %s",
    (place, text) => {
      expect(() => parseDatabaseFile(text, place)).not.toThrow();
    },
  );

  it.each(running("yaml").map((block) => [placeOf(block), block.text]))("in YAML has settings: %s", (_, text) => {
    const { config } = parse(text) as { config: Record<string, unknown> };
    const values = Object.entries({ "pgroundwork:server": "embedded", ...config });
    const stored = Object.fromEntries(
      values.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    );
    const databases = { trading: { seedSets: ["reference", "dev", "demo"] } };
    expect(() => parseSettings(stored, { stack: "local", databases })).not.toThrow();
  });
});

describe("the code blocks in a text", () => {
  it("have the language and mark of their fence, and end with a fence of at least its length", () => {
    const text = "a\n```sh run\nls\n```\n````markdown shown\n```\n````\n- b\n  ~~~ts run docker\n  x\n  ~~~\n";
    expect(codeBlocksIn(text, "a.md")).toEqual([
      { page: "a.md", line: 2, language: "sh", mark: "run", text: "ls\n" },
      { page: "a.md", line: 5, language: "markdown", mark: "shown", text: "```\n" },
      { page: "a.md", line: 9, language: "ts", mark: "run docker", text: "  x\n" },
    ]);
  });

  it.each(["```", "```sh", "```sh ran", "```sh run shown", "```run"])("have no mark after %s", (fence) => {
    expect(codeBlocksIn(`${fence}\n\`\`\`\n`, "a.md")[0]?.mark).toBeUndefined();
  });

  it("must end", () => {
    expect(() => codeBlocksIn("\n```sh run\nls\n", "a.md")).toThrow("a.md:2: the code block has no end");
  });

  it("become one script that stops at the first failure", () => {
    const block = { page: "a.md", mark: "run" as const };
    const script = scriptOf([
      { ...block, line: 3, language: "sh", text: "export A=1\n" },
      { ...block, line: 9, language: "ts", text: "await true;\n" },
    ]);
    expect(script).toMatch(/^set -euo pipefail\n/);
    expect(script).toContain('echo "## a.md:3"\nexport A=1\necho "## a.md:9"\ncat >src/block-1.ts');
    expect(script).toMatch(/\nawait true;\nEND OF BLOCK\nnode src\/block-1\.ts\n$/);
  });
});

it("the list of tests that left npm test names the file of each, which exists", async () => {
  const soak = join(cloneRoot, "test/soak");
  const rows = (await readFile(join(soak, "README.md"), "utf8"))
    .split("\n")
    .filter((line) => /^\| (?!test that)/.test(line));
  expect(rows.length).toBeGreaterThan(10);
  const missing = rows.filter((row) => {
    const place = row.split(" | ")[1] ?? "";
    const [, file = ""] = /^`([^`]+\.ts)`/.exec(place) ?? [];
    return !place.startsWith("the same file") && !(file !== "" && existsSync(join(soak, file)));
  });
  expect(missing).toEqual([]);
});
