import type { Command } from "commander";
import { type Registration, register } from "../../registration.ts";

/** All verbs, in the order in which help lists them. */
const verbs: Readonly<Record<string, Registration>> = {
  sqlite: async () => (await import("./run.ts")).registerImportSqlite,
  json: async () => (await import("./run.ts")).registerImportJson,
  list: async () => (await import("./list.ts")).registerImportList,
  report: async () => (await import("./report.ts")).registerImportReport,
  verify: async () => (await import("./verify.ts")).registerImportVerify,
  export: async () => (await import("./export.ts")).registerImportExport,
  rollback: async () => (await import("./rollback.ts")).registerImportRollback,
};

export async function registerImport(program: Command, typed: readonly string[]): Promise<void> {
  const parent = program
    .command("import")
    .description("import data from SQLite or JSON, and compare it with the source");
  // No other command reads so many values.
  if (typed.length > 0) (await import("../../../import/young-heap.ts")).limitYoungHeap();
  await register(parent, verbs, typed);
}
