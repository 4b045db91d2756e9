import type { BenchMigration } from "./tools.ts";

/**
 * Returns realistic small migrations: a table with a key, a check and an index, columns, a view, and sometimes an index
 * that is built concurrently.
 */
export function samples(total: number): BenchMigration[] {
  return Array.from({ length: total }, (_, index): BenchMigration => {
    const table = `item_${index - (index % 10)}`;
    const name = `step-${index}`;
    const plain = (sql: string): BenchMigration => ({ name: name.replace("-", "_"), sql, transactional: true });
    switch (index % 10) {
      case 0:
        return plain(
          `create table ${table} (\n  id bigint generated always as identity primary key,\n  name text not null,\n  price numeric(12, 2) not null check (price >= 0),\n  created_at timestamptz not null default now()\n);\ncreate index ${table}_name_idx on ${table} (name);`,
        );
      case 5:
        return {
          name: name.replace("-", "_"),
          sql: `create index concurrently ${table}_created_idx on ${table} (created_at);`,
          transactional: false,
        };
      case 9:
        return plain(`create view ${table}_view as select id, name, price from ${table};`);
      default:
        return plain(
          `alter table ${table} add column extra_${index} integer not null default 0;\ncomment on column ${table}.extra_${index} is 'Step ${index}';`,
        );
    }
  });
}
