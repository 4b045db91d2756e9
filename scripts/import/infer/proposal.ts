import type { ImportMap } from "../map.ts";
import type { CreatedTable } from "./created-table.ts";

/** A map that was inferred from a source, with the tables that it needs. */
export interface Proposal {
  map: ImportMap;
  /** Tables that the map needs and the target does not have. Empty if the target's tables are used. */
  tables: CreatedTable[];
  /** Decisions to check, each with its table and column: types that the values do not tell, and names that changed. */
  unsure: string[];
  /** Parts of the source's schema that the tables do not have, with the reason. */
  leftOut: string[];
}
