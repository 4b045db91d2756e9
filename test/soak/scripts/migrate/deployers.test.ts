import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  expectNextRunEndsWell,
  expectRaceIsWon,
  killDrafts,
  killHard,
  raceDrafts,
} from "../../../embedded/scripts/migrate/disturbed-runs.ts";
import { startDeployer } from "../../../embedded/scripts/migrate/processes.ts";
import { startServer, type TestServer } from "../../../embedded/server.ts";
import { committedFolderOf } from "../../../unit/scripts/migrate/committed-folder.ts";
import { soakRandom, soakRuns } from "../../random.ts";

/**
 * Longest random pause before a kill, in ms. It exceeds the time of one file, so that kills also hit later files and
 * the end.
 */
const longestPause = 70;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

async function databaseOf(name: string) {
  await server.createDatabase(name);
  return server.as("migrator", name);
}

describe("deployers", () => {
  it("all succeed in a race of eight, and each file is applied once", async () => {
    const made = await committedFolderOf(raceDrafts);
    const runs = soakRuns(20);
    try {
      for (let run = 1; run <= runs; run++) await expectRaceIsWon(await databaseOf(`race${run}`), made, 8);
      process.stderr.write(`${runs} races of 8 deployers\n`);
    } finally {
      await made.remove();
    }
  });

  it("killed at random moments leave work that the next one completes", async () => {
    const random = soakRandom();
    const made = await committedFolderOf(killDrafts);
    const runs = soakRuns(50);
    const killedAfter = new Map<number, number>();
    let through = 0;
    try {
      for (let run = 1; run <= runs; run++) {
        const connection = await databaseOf(`killed${run}`);
        const file = made.migrations[Math.floor(random() * made.migrations.length)]?.filename;
        const pause = random() * longestPause;
        const deployer = startDeployer(connection, made.folder);
        await deployer.line(({ kind, filename }) => kind === "started" && filename === file);
        await sleep(pause);
        await killHard(deployer);
        if (deployer.lines.some(({ kind }) => kind === "result")) through++;
        const applied = deployer.lines.filter(({ kind }) => kind === "applied").length;
        killedAfter.set(applied, (killedAfter.get(applied) ?? 0) + 1);
        await expectNextRunEndsWell(connection, server.connection(), made).catch((cause: unknown) => {
          throw new Error(`run ${run}: killed ${pause.toFixed(1)} ms after ${file} had begun`, { cause });
        });
      }
      const spread = [...killedAfter].sort(([a], [b]) => a - b).map(([files, times]) => `${files}: ${times}`);
      process.stderr.write(
        `${runs} kills, by files applied until then: ${spread.join(", ")}; ${through} came too late\n`,
      );
      expect(through, "most kills meet a deployer at work").toBeLessThan(runs / 2);
    } finally {
      await made.remove();
    }
  });
});
