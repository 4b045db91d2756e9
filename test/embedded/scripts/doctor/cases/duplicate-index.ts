import type { CheckCase } from "../check-case.ts";

const table = "create table item (id int primary key, tenant int not null, member int not null, name text)";

export const cases: CheckCase = {
  faults: [
    {
      title: "an index on the first column of a unique index",
      setup: [
        table,
        "create index item_tenant on item (tenant)",
        "create unique index item_both on item (tenant, member)",
      ],
      finds: ["shop.item_tenant"],
    },
    {
      title: "the newer of two equal indexes",
      setup: [table, "create index item_a on item (name)", "create index item_b on item (name)"],
      finds: ["shop.item_b"],
    },
    {
      title: "an index with the columns of a primary key",
      setup: [table, "create index item_key on item (id)"],
      finds: ["shop.item_key"],
    },
    {
      title: "two equal indexes on the same expression with the same predicate",
      setup: [
        table,
        "create index item_a on item (lower(name)) where member > 1",
        "create  index  item_b  on  item (  lower( name )) where member>1",
      ],
      finds: ["shop.item_b"],
    },
    {
      title: "two equal indexes of a partitioned table, once",
      setup: [
        "create table item (id int, tenant int) partition by range (id)",
        "create table item_1 partition of item for values from (1) to (10)",
        "create index item_a on item (tenant)",
        "create index item_b on item (tenant)",
      ],
      finds: ["shop.item_b"],
    },
  ],
  nearMisses: [
    {
      title: "other columns first",
      setup: [table, "create index on item (member)", "create index on item (tenant, member)"],
    },
    {
      title: "another collation",
      setup: [table, `create index on item (name)`, `create index on item (name collate "C", member)`],
    },
    {
      title: "another operator class",
      setup: [table, "create index on item (name text_pattern_ops)", "create index on item (name)"],
    },
    {
      title: "another predicate",
      setup: [table, "create index on item (tenant) where member > 1", "create index on item (tenant)"],
    },
    {
      title: "another expression",
      setup: [table, "create index on item (lower(name))", "create index on item (upper(name))"],
    },
    {
      title: "other included columns",
      setup: [table, "create index on item (tenant) include (name)", "create index on item (tenant, member)"],
    },
    {
      title: "another order",
      setup: [table, "create index on item (tenant desc)", "create index on item (tenant, member)"],
    },
    {
      title: "another access method",
      setup: [table, "create index on item using hash (tenant)", "create index on item (tenant)"],
    },
    {
      title: "two unique indexes that treat nulls differently",
      setup: [table, "create unique index on item (name)", "create unique index on item (name) nulls not distinct"],
    },
    {
      title: "a unique index that is shorter",
      setup: [table, "create unique index on item (tenant)", "create index on item (tenant, member)"],
    },
    {
      title: "a shorter index next to that of a constraint",
      setup: [table, "alter table item add unique (tenant, member)", "create index on item (tenant)"],
    },
    {
      title: "two constraints with the same columns",
      setup: [
        table,
        "alter table item add constraint one unique (tenant)",
        "alter table item add constraint two unique (tenant)",
      ],
    },
    {
      title: "the replica identity",
      setup: [
        table,
        "create unique index item_identity on item (tenant)",
        "alter table item replica identity using index item_identity",
        "alter table item add constraint one unique (tenant)",
      ],
    },
    {
      title: "an invalid index",
      setup: [
        table,
        "create index item_a on item (name)",
        "create index item_b on item (name)",
        "update pg_index set indisvalid = false where indexrelid = 'item_a'::regclass",
      ],
    },
  ],
};
