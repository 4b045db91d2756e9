import { type CheckCase, until } from "../check-case.ts";

const invalid = (index: string) => `update pg_index set indisvalid = false where indexrelid = '${index}'::regclass`;

export const cases: CheckCase = {
  faults: [
    {
      title: "an index whose build failed",
      setup: ["create table item (id int)", "create index item_id on item (id)", invalid("item_id")],
      finds: ["shop.item_id"],
    },
    {
      title: "a remainder of REINDEX CONCURRENTLY",
      setup: ["create table item (id int)", "create index item_id_ccnew on item (id)", invalid("item_id_ccnew")],
      finds: ["shop.item_id_ccnew"],
      // The statements restore a valid index.
      isRevertible: false,
    },
    {
      title: "an index of a partitioned table without an index in each partition",
      setup: [
        "create table item (id int) partition by range (id)",
        "create table item_1 partition of item for values from (1) to (10)",
        "create index item_id on only item (id)",
      ],
      finds: ["shop.item_id"],
      isWithoutFix: true,
    },
  ],
  nearMisses: [
    { title: "a valid index", setup: ["create table item (id int)", "create index on item (id)"] },
    {
      title: "an index that is being built",
      setup: async (open) => {
        const [reader, builder] = [await open(), await open()];
        await reader.query("create table item (id int)");
        await reader.query("begin");
        await reader.query("insert into item values (1)");
        // It waits for the transaction, with an index that is still invalid.
        builder.query("create index concurrently item_id on item (id)").catch(() => {});
        const other = await open();
        await until(other, "select count(*) = 1 from pg_stat_progress_create_index where index_relid <> 0");
      },
    },
  ],
};
