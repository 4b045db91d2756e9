import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { failureTable } from "../../../../scripts/backup/failure-verdicts.ts";

it("a drill in a container judges failures by the same table as the commands", async () => {
  const program = join(import.meta.dirname, "../../../../infra/images/postgres/bin/restore-drill");
  const [, table = ""] =
    /^FAILURES = json\.loads\(r"""\n([\s\S]+?)\n"""\)$/m.exec(await readFile(program, "utf8")) ?? [];
  expect(JSON.parse(table)).toEqual(failureTable);
});
