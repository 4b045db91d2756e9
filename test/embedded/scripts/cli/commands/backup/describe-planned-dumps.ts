import { appendFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { dueLockOf } from "../../../../../../scripts/backup/dump/make-due.ts";
import { FolderLock } from "../../../../../../scripts/core/folder-lock.ts";
import { writeDump } from "../../../../../unit/scripts/backup/dump/metadata.ts";
import type { Clone } from "../../../../clone.ts";

/** Tests the planned dumps of an embedded stack. The dumps themselves are made in the tests with Docker. */
export function describePlannedDumps(clone: () => Clone, configure: (backups: unknown) => Promise<void>): void {
  describe("planned dumps", () => {
    const dumps = { schedule: "59 23 31 12 *", schemaOnly: true };
    const folder = () => join(clone().root, ".pgroundwork", "dumps");
    const due = (...args: string[]) => clone().pgw("backup", "dump", "--due", ...args);
    const text = () => `There is no intact dump of shop in ${folder()}.`;
    /** Runs work with a key that no dump can be encrypted to, so that none is made, whatever this machine has. */
    const withoutKey = async <T>(work: () => Promise<T>): Promise<T> => {
      clone().env.BACKUP_RECIPIENTS = "age1wrong";
      return work().finally(() => delete clone().env.BACKUP_RECIPIENTS);
    };
    let full: string;
    afterAll(() => configure(undefined));

    it("need a plan, which preview, status and setup know after up", async () => {
      expect(await due()).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('No dumps are planned for stack "local".'),
      });
      await configure({ dumps });
      const { stdout } = await clone().succeed("setup");
      expect(stdout).toMatch(/^no changes/m);
      expect(stdout).toContain("scripts/pgw.mjs backup dump --due --stack local");
      const warning = `${text()}\n`;
      const { stderr } = await clone().succeed("preview");
      expect(stderr).toContain(`warning: ${warning}`);
      expect(stderr).toContain("Make the dumps:\n    npm run pgw -- backup dump --due\n");
      const status = await clone().pgw("status");
      expect([status.code, status.stdout]).toEqual([5, expect.stringContaining(`unknown    ${text()}`)]);
    });

    it("are an error if they are due and cannot be made, and left to another process that makes them", async () => {
      const failed = await withoutKey(() => due());
      expect([failed.code, failed.stderr]).toEqual([
        1,
        expect.stringMatching(/2 of 2 dumps could not be made:\n- shop: .*age1wrong.*\n- shop \(schema only\): /),
      ]);
      const release = await new FolderLock(folder(), dueLockOf({ folder: folder(), source: "local" })).take();
      const { code, stdout } = await due("--json");
      await release?.();
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { stack: "local", due: true, busy: true }]);
      expect(await due("--schema-only")).toMatchObject({ code: 2 });
    });

    it("are not due before the next moment, which preview and status report no more", async () => {
      full = await writeDump(folder(), new Date());
      const schema = await writeDump(folder(), new Date(), { scope: "schema" });
      const { code, stdout } = await due("--json");
      const next = expect.stringMatching(/-12-31T23:59:00\.000Z$/);
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { due: false, next, later: [{ newest: full, next }, {}] }]);
      expect((await due()).stdout).toMatch(
        /^Nothing is due before \d{4}-12-31T23:59:00\.000Z\.\n {2}shop: local-shop-/,
      );
      expect((await clone().succeed("preview")).stderr).not.toContain("dump");
      expect((await clone().succeed("status")).stdout).toContain(`current, in ${folder()}`);
      const listed = JSON.parse((await clone().succeed("backup", "list", "--json")).stdout);
      const at = { location: "folder", database: "shop", reason: "requested", validated: null };
      expect(listed).toMatchObject({
        backups: [],
        dumps: {
          folder: folder(),
          compared: "sizes",
          newest: [
            { ...at, id: full },
            { ...at, id: schema },
          ],
        },
        findings: [],
      });
    });

    it("are due again if the newest one is damaged, which backup list reports", async () => {
      await appendFile(join(folder(), full, "dump.pgdump"), "x");
      const listed = await clone().pgw("backup", "list");
      const damaged = `The dump ${full} in ${folder()} is damaged: dump.pgdump has`;
      expect([listed.code, listed.stdout]).toEqual([5, expect.stringContaining(damaged)]);
      expect(listed.stdout).toContain(text());
      const failed = await withoutKey(() => due());
      expect([failed.code, failed.stderr]).toEqual([2, expect.stringMatching(/^error: .*age1wrong/m)]);
      expect((await clone().succeed("up")).stderr).toContain(text());
      await rm(folder(), { recursive: true });
    });
  });
}
