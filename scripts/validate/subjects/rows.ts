import { counted, examineObject, listed, nothingExamined, type Subject, type Survey } from "../subject.ts";
import { from, type TableFacts } from "../tables.ts";

/** Counts the rows of each table. That reads every page of the table itself. */
export const rows: Subject = {
  name: "rows",
  title: "tables read and counted",
  async examine(observer, survey) {
    const result = nothingExamined();
    result.unknown.push(...hiddenTables(survey, observer.facts.user));
    for (const table of readable(survey)) {
      await examineObject(result, survey, table.table, async () => {
        const [row] = await observer.query<{ rows: number }>(`select count(*)::float8 as rows from ${from(table)}`);
        if (row !== undefined) survey.rows.set(table.table, row.rows);
        return [];
      });
    }
    return result;
  },
};

/** Returns the tables that hold rows themselves and that the role can read. */
export function readable({ tables }: Survey): TableFacts[] {
  return tables.filter(({ kind, hidden }) => kind !== "p" && hidden === null);
}

function hiddenTables({ tables }: Survey, role: string): string[] {
  const of = (reason: TableFacts["hidden"]) =>
    tables.filter(({ hidden }) => hidden === reason).map(({ table }) => table);
  const [forbidden, filtered] = [of("no right to read it"), of("row security hides rows")];
  return [
    ...(forbidden.length === 0
      ? []
      : [`role "${role}" has no right to read ${counted(forbidden.length, "table")}: ${listed(forbidden)}`]),
    ...(filtered.length === 0
      ? []
      : [`row security hides rows of ${counted(filtered.length, "table")} from role "${role}": ${listed(filtered)}`]),
  ];
}
