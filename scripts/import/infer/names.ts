import { ownColumns } from "../target/target-table.ts";

/** Longest identifier of PostgreSQL in bytes. */
const mostBytes = 63;

/** Columns of every table of PostgreSQL, those that the import adds, and a name that no object can have as its own. */
const systemColumns = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", ...ownColumns, "__proto__"]);

/**
 * Gives objects their names in the target. A name stays as it is, unless PostgreSQL cannot have it, or another one is
 * equal but for case, so that people would confuse them.
 */
export class Names {
  readonly #given = new Set<string>();
  readonly #reserved: ReadonlySet<string>;
  /** Sentences about names that changed. */
  readonly renamed: string[] = [];

  /** @param kind `columns` avoids the names of system columns */
  constructor(kind: "columns" | "relations", taken: Iterable<string> = []) {
    this.#reserved = kind === "columns" ? systemColumns : new Set();
    for (const name of taken) this.#given.add(folded(name));
  }

  /** Keeps a name from being given. */
  reserve(name: string): void {
    this.#given.add(folded(name));
  }

  /**
   * Returns the name for an object.
   *
   * @param what the object in sentences: `column x of y`
   */
  give(name: string, what: string): string {
    // Control characters would break lines of the migration, and graphile-migrate replaces :DATABASE_NAME.
    const usable = name.replace(/\p{Cc}|:(?=[A-Z])/gu, "_").toWellFormed() || "_";
    let result = cut(usable, mostBytes);
    for (let number = 2; this.#given.has(folded(result)) || this.#reserved.has(result.toLowerCase()); number++)
      result = `${cut(usable, mostBytes - String(number).length - 1)}_${number}`;
    this.#given.add(folded(result));
    if (result !== name) this.renamed.push(`${what} becomes ${JSON.stringify(result)}`);
    return result;
  }
}

function folded(name: string): string {
  return name.toLowerCase();
}

/** Cuts a text to a number of bytes, at a character. */
function cut(text: string, bytes: number): string {
  let result = text;
  while (Buffer.byteLength(result) > bytes) result = [...result].slice(0, -1).join("");
  return result;
}
