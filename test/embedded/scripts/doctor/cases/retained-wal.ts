import type { CheckCase } from "../check-case.ts";

const advance = ["create table item (id int)", "insert into item select generate_series(1, 20000)"];

const teardown = ["select pg_drop_replication_slot(slot_name) from pg_replication_slots"];

export const cases: CheckCase = {
  thresholds: { slotBytes: 500_000 },
  faults: [
    {
      title: "a physical slot without a client",
      setup: ["select pg_create_physical_replication_slot('gone', true)", ...advance],
      teardown,
      finds: ["gone"],
      // The new slot retains nothing.
      isRevertible: false,
    },
    {
      title: "a logical slot without a client",
      setup: ["select pg_create_logical_replication_slot('gone', 'pgoutput')", ...advance],
      teardown,
      finds: ["gone"],
      isRevertible: false,
    },
  ],
  nearMisses: [
    {
      title: "a slot that retains little",
      setup: ["checkpoint", "select pg_create_physical_replication_slot('near', true)"],
      teardown,
    },
    {
      title: "a slot that reserves nothing",
      setup: ["select pg_create_physical_replication_slot('unused')", ...advance],
      teardown,
    },
  ],
};
