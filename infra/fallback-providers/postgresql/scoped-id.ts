import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";

/** Parses the id of an object in a database: `database.name`. A name alone is in the provider's own database. */
export function scopedId(id: string, { database }: { database: string }): Properties {
  const [first, second, ...rest] = id.split(".");
  if (first === undefined || first === "" || second === "" || rest.length > 0) {
    throw new OperationError(`The id "${id}" is not of the form database.name.`, {
      hint: "Import it as database.name, for example appdb.pgcrypto.",
    });
  }
  return second === undefined ? { database, name: first } : { database: first, name: second };
}
