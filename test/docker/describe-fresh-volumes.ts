import { describe, expect, it } from "vitest";
import { leastPostgres } from "./least-postgres.ts";
import { shell, sql } from "./postgres-container.ts";

/** Connects repeatedly for longer than one second: other images restart within that second after they were "ready". */
const probes = "for probe in $(seq 60); do psql -X -q -A -t -c 'select 1' >/dev/null || exit 1; sleep 0.02; done";
const firstAnswer = "until psql -X -q -A -t -c 'select 1' >/dev/null 2>&1; do :; done";

/**
 * Defines the tests of fresh volumes.
 *
 * @param runs number of fresh volumes to start
 */
export function describeFreshVolumes(runs: number): void {
  describe("a fresh volume", () => {
    const { objects, create } = leastPostgres();
    const { docker } = objects;

    it.each(Array.from({ length: runs }, (_, run) => run + 1))("keeps answering SQL once ready (run %i)", async () => {
      const container = await create();
      await container.start();
      await shell(docker, container, `${firstAnswer}; ${probes}`);
      // The first answer comes from the final server, not from a temporary one.
      expect(
        await sql(docker, container, "select count(*) from pg_ls_dir('.') as file where file = 'postmaster.pid'"),
      ).toBe("1");
      expect(await sql(docker, container, "select pg_postmaster_start_time() < now(), pg_is_in_recovery()")).toBe(
        "t|f",
      );
      await container.remove({ force: true, v: true });
    });
  });
}
