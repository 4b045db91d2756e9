import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createKey, decrypted, encrypted } from "../../../../../scripts/backup/dump/encryption.ts";

describe("an encrypted dump", () => {
  it("can be closed after its key was tried, and then be read again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "encryption-"));
    try {
      const key = join(folder, "key");
      const recipient = await createKey(key);
      const plain = Buffer.alloc(2_000_000, "row\n");
      const stored = await buffer(await encrypted(Readable.from([plain], { objectMode: false }), [recipient]));
      const chunks = function* () {
        for (let at = 0; at < stored.length; at += 16_384) yield stored.subarray(at, at + 16_384);
      };
      // An error that nobody can catch would fail this test.
      const tried = Readable.from(chunks(), { objectMode: false });
      (await decrypted(tried, key)).destroy();
      tried.destroy();
      await sleep(10);
      const again = await decrypted(Readable.from(chunks(), { objectMode: false }), key);
      expect((await buffer(again)).equals(plain)).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
