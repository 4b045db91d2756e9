import { describe, expect, it } from "vitest";
import { codeBlocksOf, pages, scriptOf } from "../support/code-blocks.ts";
import { makeDockerStack } from "./stack.ts";

describe("the commands in the pages that need Docker", () => {
  const tested = pages().filter((page) => codeBlocksOf(page).some(({ mark }) => mark === "run docker"));

  it.each(tested)("run as they are, in one shell: %s", async (page) => {
    const shop = await makeDockerStack();
    const script = scriptOf(codeBlocksOf(page).filter(({ mark }) => mark === "run docker"));
    // A developer may have a stack of this name.
    const { code, stdout, stderr } = await shop.clone.shell(script.replaceAll("--stack dev", `--stack ${shop.stack}`));
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    expect(stdout).toContain("sslmode=verify-full");
  });
});
