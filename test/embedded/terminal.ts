import { spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { expect } from "vitest";
import type { Clone } from "./clone.ts";

/** A command on a terminal that waits for an answer. */
export interface Asking {
  /** Types a line and waits until the command ends. The output has no colours. */
  answer(line: string): Promise<{ code: number; output: string }>;
}

/** Starts `pgw` on a terminal and waits for its question. */
export async function ask(clone: Clone, args: readonly string[], question: string): Promise<Asking> {
  const command = ["node_modules/.bin/node", "scripts/pgw.mjs", ...args].join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: clone.root, env: clone.env });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const ended = once(child, "close");
  const asked = expect.poll(() => output, { timeout: 120_000, interval: 50 }).toContain(question);
  await Promise.race([asked, ended.then(() => expect(output).toContain(question))]);
  return {
    async answer(line) {
      child.stdin.write(`${line}\n`);
      const [code] = (await ended) as [number];
      return { code, output: stripVTControlCharacters(output).replaceAll("\r\n", "\n") };
    },
  };
}
