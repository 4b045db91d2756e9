import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPostmaster } from "../../../../../../scripts/server/postmaster.ts";
import type { Clone } from "../../../../clone.ts";
import { changesOf } from "../../../../infra/program/changes.ts";
import { revealedOutputs } from "../../../../infra/program/passwords.ts";
import { makeShop, shopSettings } from "../../../../infra/program/shop.ts";
import { ask } from "../../../../terminal.ts";

const cocoa = "insert into product values (3, 'cocoa', 2)";
const seeded = [{ name: "tea" }, { name: "coffee" }];
const products = "select name from product order by id";

describe("pgw destroy --erase of a stack", () => {
  let clone: Clone;
  let folder: string;

  beforeAll(async () => {
    clone = await makeShop({ git: true });
  });
  afterAll(() => clone?.remove());

  /** Brings the stack up and adds a row that no seed inserts. */
  const bringUp = async () => {
    await clone.succeed("up");
    folder = join((await revealedOutputs(clone)).server.dataDirectory, "..");
    await clone.query("app", cocoa);
  };
  const servers = () => readdir(join(clone.dataHome, "servers"));
  /** Expects that nothing is left. The next `up` creates the stack again. */
  const expectErased = async () => {
    expect(await servers()).toEqual([]);
    expect(await stateFiles(clone)).toEqual([]);
    expect((await clone.shell("git status --porcelain")).stdout).toBe("");
    expect((await clone.succeed("destroy", "--erase", "local", "--yes")).stdout).toBe(
      'Stack "local" has no resources and no data: there is nothing to erase.\n',
    );
  };

  it("refuses if a database was created after the list was shown", async () => {
    await bringUp();
    const asking = await ask(clone, ["destroy", "--erase", "local"], "Type local to continue:");
    await clone.query("superuser", "create database ledger");
    const { code, output } = await asking.answer("local");
    expect(code, output).toBe(3);
    expect(output).toMatch(/^ {2}new {3}database ledger \(oid \d+\), 0 tables\n/m);
    expect(await clone.query("readonly", products)).toContainEqual({ name: "cocoa" });
    await clone.query("superuser", "drop database ledger");
  });

  it("lists what is lost, and needs --yes without a terminal", async () => {
    const { code, stdout, stderr } = await clone.pgw("destroy", "--erase", "local");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(
      new RegExp(
        [
          '^Stack "local" and everything in it will be deleted permanently:',
          "  its \\d+ resources, and every generated password",
          `  the server's data in ${folder}/data and its log \\(\\d+ MB, running on port \\d+\\)`,
          "    database shop: [\\d.]+ MB, \\d+ tables with about \\d+ rows",
          "    last backup: none known",
          "  its state and the history of the state; Pulumi\\.local\\.yaml is kept",
          'error: Erasing stack "local" needs a confirmation\\. Nothing was changed\\.',
          "  Add --yes\\.\n",
        ].join("\n"),
        "m",
      ),
    );
    const settings = join(clone.root, "Pulumi.local.yaml");
    await rename(settings, `${settings}.elsewhere`);
    const withoutFile = await clone.pgw("destroy", "--erase", "local");
    await rename(`${settings}.elsewhere`, settings);
    expect(withoutFile.stderr).toContain("\n  its state and the history of the state\n");
    expect(await clone.query("readonly", products)).toHaveLength(3);
  });

  it("leaves only the settings", async () => {
    const settings = await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8");
    const { stdout } = await clone.succeed("destroy", "--erase", "local", "--yes");
    expect(stdout).toBe(
      'stack "local" is erased\n`npm run up` creates it again with the settings in Pulumi.local.yaml.\n',
    );
    // The salt belongs to the passphrase of the erased stack. Nothing else is encrypted with it.
    expect(settings).toMatch(/^encryptionsalt: /m);
    const left = await readFile(join(clone.root, "Pulumi.local.yaml"), "utf8");
    expect(left).toBe(settings.replace(/^encryptionsalt:.*\n/m, ""));
    await expectErased();
    await clone.succeed("up");
    expect(await clone.query("readonly", products)).toEqual(seeded);
    expect(await changesOf(clone, "up")).toEqual([]);
    await clone.succeed("destroy", "--erase", "local", "--yes");
  });

  it("completes after a run that was killed at any moment", async () => {
    for (const seen of ["erasing-local.json", "data.erased-"]) {
      await bringUp();
      expect(await clone.query("readonly", products)).toHaveLength(3);
      // Enough files to make the deletion slow.
      await clone.shell(`mkdir ${folder}/data/base/many && cd ${folder}/data/base/many && seq 30000 | xargs touch`);
      const erase = clone.start("destroy", "--erase", "local", "--yes");
      const isMoment = async () => {
        const names = [
          ...(await readdir(join(clone.root, ".pgroundwork"))),
          ...(await readdir(folder).catch(() => [])),
        ];
        return names.some((name) => name.startsWith(seen));
      };
      await expect.poll(isMoment, { timeout: 60_000, interval: 5 }).toBe(true);
      process.kill(-(erase.pid ?? 0), "SIGKILL");
      await clone.shell(
        'eval "$(node_modules/.bin/node scripts/pgw.mjs engine env)" && pulumi cancel --yes --stack local',
      );
      await clone.succeed("destroy", "--erase", "local", "--yes");
      await expectErased();
    }
  });

  it("completes if the stack was taken down or its state was lost before", async () => {
    await bringUp();
    await clone.succeed("destroy", "--yes");
    await clone.succeed("destroy", "--erase", "local", "--yes");
    await expectErased();
    await bringUp();
    await clone.shell("rm -r .pgroundwork/.pulumi");
    const { stderr } = await clone.succeed("destroy", "--erase", "stack:local", "--yes");
    expect(stderr).toContain(
      "    its databases are not known (the stack has no state with its superuser's password); last backup: none known\n",
    );
    await expectErased();
  });

  it("erases only PostgreSQL's files from a separate data directory", async () => {
    await bringUp();
    const elsewhere = join(clone.dataHome, "elsewhere");
    await clone.succeed("down");
    await rename(join(folder, "data"), elsewhere);
    await clone.configure({ ...shopSettings, dataDirectory: elsewhere });
    await clone.succeed("up");
    await writeFile(join(elsewhere, "notes.txt"), "of somebody else");
    const { stderr } = await clone.succeed("destroy", "--erase", "local", "--yes");
    expect(stderr).toContain(`warning: ${elsewhere}/notes.txt is kept: it does not belong to PostgreSQL\n`);
    expect(await readdir(elsewhere)).toEqual(["notes.txt"]);
    expect(await servers()).toEqual([]);
    await clone.configure(shopSettings);
    await expectErased();
  });

  it("refuses if the settings name another server's data, and deletes nothing", async () => {
    await bringUp();
    const { server } = await revealedOutputs(clone);
    const foreign = join(clone.dataHome, "foreign");
    await clone.shell(`mkdir ${foreign} && echo 17 > ${foreign}/PG_VERSION`);
    await clone.configure({ ...shopSettings, dataDirectory: foreign });
    const { code, stderr } = await clone.pgw("destroy", "--erase", "local", "--yes");
    expect(code).toBe(3);
    expect(stderr).toContain(`error: The data in ${foreign} may not belong to this stack.`);
    expect(await readdir(foreign)).toEqual(["PG_VERSION"]);
    expect(await findPostmaster(server.dataDirectory)).toBeDefined();
    await clone.configure(shopSettings);
    expect(await clone.query("readonly", products)).toHaveLength(3);
  });

  it("does not claim a folder after an unfinished erasure, which recover reports and up forgets", async () => {
    const { dataDirectory } = (await revealedOutputs(clone)).server;
    const note = JSON.stringify([{ folder, dataDirectory }]);
    await clone.write(".pgroundwork/erasing-local.json", note);
    const stuff = join(clone.dataHome, "stuff");
    await clone.shell(`mkdir -p ${stuff}/base && echo dear > ${stuff}/base/photo && touch ${stuff}/file`);
    await clone.configure({ ...shopSettings, dataDirectory: stuff });
    const { code, stderr } = await clone.pgw("destroy", "--erase", "local", "--yes");
    expect(code, stderr).toBe(3);
    expect(stderr).toContain(`error: ${stuff} contains files, but no PostgreSQL cluster (no PG_VERSION).`);
    expect((await readdir(stuff, { recursive: true })).sort()).toEqual(["base", "base/photo", "file"]);
    await clone.configure(shopSettings);

    expect((await clone.succeed("recover")).stderr).toContain(
      `an erasure of stack "local" was not finished: ${dataDirectory}\n      To finish it: npm run pgw -- destroy --erase local.`,
    );
    await clone.succeed("up");
    expect((await clone.succeed("recover")).stdout).toContain("left anything");
  });
});

/** Lists the state files of a project's stacks. */
async function stateFiles(clone: Clone): Promise<string[]> {
  const files = await readdir(join(clone.root, ".pgroundwork", ".pulumi", "stacks", "pgroundwork")).catch(() => []);
  return files.filter((name) => name.endsWith(".json"));
}
