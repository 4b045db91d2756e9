import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { version } from "../../../../infra/fallback-providers/postgresql/plugin.ts";
import { installPlugin } from "../../../support/official-docker/install.ts";
import type { Clone } from "../../clone.ts";
import { makeShop, shopSettings } from "./shop.ts";

const main = fileURLToPath(new URL("../../../support/official-postgresql/main.ts", import.meta.url));

describe("the official postgresql plugin, which sets no session limits", () => {
  let clone: Clone;
  let seen: string;

  beforeAll(async () => {
    // A plugin reads the options that it was started with once.
    clone = await makeShop({ ownPlugins: true });
    clone.env.PULUMI_HOME = join(clone.root, "..", "pulumi-home");
    await installPlugin(clone.env.PULUMI_HOME, { name: "postgresql", version }, main);
    seen = join(clone.dataHome, "hook-options");
    const note = `printf '%s|%s' "$PGOPTIONS" "$PGW_USER_PGOPTIONS" > ${seen}`;
    const hooks = { beforeAllMigrations: [{ _: "command", command: note }] };
    await clone.write("migrations/shop/.gmrc", JSON.stringify({ migrationsFolder: ".", ...hooks }));
    // Shorter than CREATE DATABASE takes, and shorter than the pause between two resources.
    const limits = { statement_timeout: "100ms", lock_timeout: "5ms", idle_session_timeout: "200ms" };
    const logged = { log_min_duration_statement: 0 };
    await clone.configure({ ...shopSettings, postgresql: { ...shopSettings.postgresql, ...limits, ...logged } });
  });
  afterAll(() => clone?.remove());

  it("works under the server's limits, and hooks get only the PGOPTIONS that the user exported", async () => {
    clone.env.PGOPTIONS = "--application_name=ours";
    const up = await clone.succeed("up");
    expect(up.stderr).not.toContain("fallback");
    expect(await readFile(seen, "utf8")).toBe("--application_name=ours|");
    expect((await clone.succeed("refresh")).stdout).toMatch(/^no changes/m);
    delete clone.env.PGOPTIONS;
    expect((await clone.succeed("up")).stdout).toMatch(/^no changes/m);
  });

  it("leaves no statement in the log of slow statements, because it sends passwords as plain text", async () => {
    await clone.query("app", "select 'of an application'");
    const { stdout } = await clone.succeed("logs");
    expect(stdout).toMatch(/duration: .* select 'of an application'/);
    expect(stdout).not.toMatch(/(CREATE|ALTER) ROLE/);
  });

  it("does not change PGOPTIONS in a shell that evaluated `engine env`", async () => {
    const shell = await clone.shell('eval "$(node_modules/.bin/node scripts/pgw.mjs engine env)"; echo "[$PGOPTIONS]"');
    expect(shell.stdout).toBe("[]\n");
  });
});
