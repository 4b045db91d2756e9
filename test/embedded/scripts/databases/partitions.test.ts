import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { ensurePartitions, missingPartitions } from "../../../../scripts/databases/partitions.ts";
import { startServer } from "../../server.ts";

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("partitions");
});
afterAll(() => server?.stop());

describe("partitions made in advance", () => {
  it("are listed while they are missing, and made once", async () => {
    await withClient(server.connection("partitions"), async (client) => {
      await client.query(`
        create schema log;
        create table log.entry (at date not null) partition by range (at);
        create function log.ensure_partitions(months_ahead integer, dry_run boolean) returns setof text language plpgsql as $$
        declare month date; name text;
        begin
          for month in select generate_series(date '2026-01-01', date '2026-01-01' + make_interval(months => months_ahead), '1 month')::date loop
            name := format('log.entry_%s', to_char(month, 'YYYYMM'));
            continue when to_regclass(name) is not null;
            if not dry_run then
              execute format('create table %s partition of log.entry for values from (%L) to (%L)', name, month, month + interval '1 month');
            end if;
            return next name;
          end loop;
        end $$;`);
      const spec = { function: "log.ensure_partitions", monthsAhead: 1 };
      const names = ["log.entry_202601", "log.entry_202602"];
      expect(await missingPartitions(client, spec)).toEqual(names);
      expect(await missingPartitions(client, spec)).toEqual(names);
      expect(await ensurePartitions(client, spec)).toEqual(names);
      expect(await missingPartitions(client, spec)).toEqual([]);
      expect(await ensurePartitions(client, { ...spec, monthsAhead: 2 })).toEqual(["log.entry_202603"]);
    });
  });
});
