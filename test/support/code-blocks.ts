import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cloneRoot } from "../clone-root.ts";

/** Mark of a code block, which says how it is tested. It follows the language: `sh run`. GitHub ignores it. */
export type Mark = "run" | "run docker" | "shown";

/** A code block of a page. */
export interface CodeBlock {
  /** Path of the page, relative to the project directory. */
  page: string;
  /** Line of its first fence, starting at 1. */
  line: number;
  language: string;
  /** Undefined if the block has no mark, or an unknown one. */
  mark: Mark | undefined;
  text: string;
}

const isMark = (text: string): text is Mark => ["run", "run docker", "shown"].includes(text);

/** Lists the project's pages. The changelog and the folders of databases have no commands to try. */
export function pages(): string[] {
  const others = ["node_modules", ".*", "test/fixtures", "migrations/*/**", "CHANGELOG.md"];
  return globSync("**/*.md", { cwd: cloneRoot, exclude: others }).sort();
}

/** Reads the code blocks of a page, in order. */
export function codeBlocksOf(page: string): CodeBlock[] {
  return codeBlocksIn(readFileSync(join(cloneRoot, page), "utf8"), page);
}

/**
 * Finds the fenced code blocks in a Markdown text.
 *
 * @throws Error if the last block has no end
 */
export function codeBlocksIn(markdown: string, page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; block: CodeBlock } | undefined;
  markdown.split("\n").forEach((text, index) => {
    const [, indent = "", fence = "", info = ""] = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(text) ?? [];
    if (open === undefined) {
      if (fence === "") return;
      const [language = "", ...rest] = info.split(/\s+/);
      const mark = rest.join(" ");
      const block = { page, line: index + 1, language, mark: isMark(mark) ? mark : undefined, text: "" };
      open = { fence: indent + fence, block };
    } else if (info === "" && fence.startsWith(open.fence.trimStart())) {
      blocks.push(open.block);
      open = undefined;
    } else open.block.text += `${text}\n`;
  });
  if (open !== undefined) throw new Error(`${page}:${open.block.line}: the code block has no end`);
  return blocks;
}

/**
 * Returns a script for bash that runs a page's blocks with one of the marks, in order, in one shell. It stops at the
 * first command that fails, and prints the place of each block before it runs.
 *
 * @param blocks blocks in the languages sh and ts
 * @param before commands that prepare what the page assumes
 */
export function scriptOf(blocks: readonly CodeBlock[], before = ""): string {
  const steps = blocks.map(({ page, line, language, text }, index) => {
    if (language === "sh") return `echo "## ${page}:${line}"\n${text}`;
    const file = `src/block-${index}.ts`;
    return `echo "## ${page}:${line}"\ncat >${file} <<'END OF BLOCK'\n${text}END OF BLOCK\nnode ${file}\n`;
  });
  // Without stdin, a command that waits for input ends.
  return `set -euo pipefail\nexec </dev/null\nmkdir -p src\n${before}\n${steps.join("")}`;
}
