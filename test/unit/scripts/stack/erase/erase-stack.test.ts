import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineInstallation } from "../../../../../scripts/pulumi/ensure-engine.ts";
import { begunErasure, isServerPlace, noteErasure } from "../../../../../scripts/stack/begun-erasure.ts";
import { eraseStack } from "../../../../../scripts/stack/erase/erase-stack.ts";
import { StackLocked } from "../../../../../scripts/stack/stack-locked.ts";

describe("an erasure that the engine refuses", () => {
  let root: string;

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "erase-stack-")));
  });
  afterEach(() => rm(root, { recursive: true }));

  /**
   * Returns the erasures that are recorded as begun after erasing one server. The engine fails with the given error,
   * and the state cannot be read.
   */
  async function begunAfter(refusal: Error, begunBefore: string[] = []): Promise<string[]> {
    const place = (name: string) => ({ folder: join(root, name), dataDirectory: join(root, name, "data") });
    const begun = begunBefore.map(place);
    if (begun.length > 0) noteErasure(root, "local", begun);
    const erasure = eraseStack({
      stack: { engine: noEngine(root), root, name: "local" },
      data: [
        {
          found: [],
          places: [...begunBefore, "server"].map(place),
          begun,
          facts: [],
          erase: () => Promise.reject(new Error("nothing is to be erased")),
        },
      ],
      takeDown: async (begin) => {
        if (refusal !== locked) begin();
        throw refusal;
      },
      onStep: () => {},
      signal: new AbortController().signal,
    });
    await expect(erasure).rejects.toBe(refusal);
    return begunErasure(root, "local")
      .filter(isServerPlace)
      .map(({ folder }) => folder.slice(root.length + 1));
  }
  const locked = new StackLocked("Another run works on it.", "Wait.", { holderIsGone: false, recoverable: false });

  it("because the stack is locked leaves no record", async () => {
    expect(await begunAfter(locked)).toEqual([]);
  });

  it("because the stack is locked keeps the record of an earlier erasure", async () => {
    expect(await begunAfter(locked, ["earlier"])).toEqual(["earlier"]);
  });

  it("for another reason keeps its record if the state may have lost the server", async () => {
    expect(await begunAfter(new Error("the engine was killed"))).toEqual(["server"]);
  });
});

/** Returns an installation without files. */
function noEngine(root: string): EngineInstallation {
  const languageHost = join(root, "pulumi-language-nodejs");
  return {
    pulumi: join(root, "pulumi"),
    languageHost,
    version: "0",
    source: "path",
    plugins: [],
    environment: {},
    pathPrefix: [],
  };
}
