import { describe, expect, it } from "vitest";
import { leastPostgres } from "./least-postgres.ts";
import { shell, sql } from "./postgres-container.ts";

/** New connections for longer than the second in which other images restart after they were "ready". */
const probes = "for probe in $(seq 60); do psql -X -q -A -t -c 'select 1' >/dev/null || exit 1; sleep 0.02; done";
const firstAnswer = "until psql -X -q -A -t -c 'select 1' >/dev/null 2>&1; do :; done";

/** @param runs how many fresh volumes are started */
export function describeFreshVolumes(runs: number): void {
  describe("a fresh volume", () => {
    const { belongings, create } = leastPostgres();
    const { docker } = belongings;

    it.each(Array.from({ length: runs }, (_, run) => run + 1))("%i: once SQL is answered, it always is", async () => {
      const container = await create();
      await container.start();
      await shell(docker, container, `${firstAnswer}; ${probes}`);
      // One server from the first answer on: no temporary one before it.
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
