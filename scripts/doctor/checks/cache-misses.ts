import { NotKnown } from "../../connection/observer.ts";
import type { Check } from "../check.ts";
import { count, percent } from "../text.ts";

interface Row {
  database: string;
  hit: number;
  read: number;
  buffers: string;
}

const query = `
  select datname::text as database, blks_hit::float8 as hit, blks_read::float8 as read, current_setting('shared_buffers') as buffers
    from pg_stat_database where datname = current_database()`;

export const cacheMisses: Check = {
  name: "cache-misses",
  title: "Many pages are not in the server's cache",
  scope: "database",
  async find(observer, { cacheBlocks, cacheHitRatio }) {
    const [row] = await observer.query<Row>(query);
    if (row === undefined) throw new NotKnown("the server shows no statistics of this database");
    const { database, hit, read, buffers } = row;
    const ratio = hit / Math.max(hit + read, 1);
    // Until much was read, the ratio says how the cache was filled.
    if (hit + read < cacheBlocks || ratio >= cacheHitRatio) return { problems: [] };
    return {
      problems: [
        {
          object: database,
          level: "info",
          detail: `Only ${percent(ratio)} of the ${count(hit + read)} pages that statements in ${database} read were in shared_buffers (${buffers}). The operating system may have cached the others.`,
          hint: "Look for large sequential scans (check missing-index). If there are none, raise shared_buffers to a quarter of the machine's memory, and restart.",
        },
      ],
    };
  },
};
