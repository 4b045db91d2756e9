import type { CheckCase } from "../check-case.ts";

const parent = "create table parent (a int, b int, primary key (a, b))";
const child =
  "create table child (id int, a int, b int, other int, constraint to_parent foreign key (a, b) references parent)";

export const cases: CheckCase = {
  faults: [
    { title: "a foreign key without an index", setup: [parent, child], finds: ["shop.child.to_parent"] },
    {
      title: "an index on only one of its columns",
      setup: [parent, child, "create index on child (a)", "create index on child (b, id)"],
      finds: ["shop.child.to_parent"],
    },
    {
      title: "only a partial index",
      setup: [parent, child, "create index on child (a, b) where id > 7"],
      finds: ["shop.child.to_parent"],
    },
    {
      title: "only a partial index by another column that is not null",
      setup: [parent, child, "create index on child (a, b) where other is not null"],
      finds: ["shop.child.to_parent"],
    },
    {
      title: "only an invalid index",
      setup: [
        parent,
        child,
        "create index child_ab on child (a, b)",
        "update pg_index set indisvalid = false where indexrelid = 'child_ab'::regclass",
      ],
      finds: ["shop.child.to_parent"],
    },
    {
      title: "only included columns",
      setup: [parent, child, "create index on child (a) include (b)"],
      finds: ["shop.child.to_parent"],
    },
    {
      title: "a partitioned table, once",
      setup: [
        parent,
        "create table child (id int, a int, b int, constraint to_parent foreign key (a, b) references parent) partition by range (id)",
        "create table child_1 partition of child for values from (1) to (10)",
        "create table child_2 partition of child for values from (10) to (20)",
      ],
      finds: ["shop.child.to_parent"],
    },
  ],
  nearMisses: [
    { title: "an index with its columns in another order", setup: [parent, child, "create index on child (b, a)"] },
    { title: "an index with more columns", setup: [parent, child, "create index on child (a, b, id)"] },
    { title: "the primary key", setup: [parent, child, "alter table child add primary key (a, b, id)"] },
    {
      title: "a partial index of all rows that can refer",
      setup: [parent, child, "create index on child (a, b) where a is not null and b is not null"],
    },
    {
      title: "a hash index",
      setup: [
        "create table parent (a int primary key)",
        "create table child (a int references parent)",
        "create index on child using hash (a)",
      ],
    },
  ],
};
