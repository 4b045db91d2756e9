import type { ImportMap } from "../map.ts";
import type { CreatedTable } from "./created-table.ts";

/** What was inferred from a source. */
export interface Proposal {
  map: ImportMap;
  /** Tables that the map needs and the target does not have. Empty if the target's tables are used. */
  tables: CreatedTable[];
  /** Decisions to check, each with its table and column: types that the values do not tell, and names that changed. */
  unsure: string[];
  /** What the source declares and the tables do not have, with the reason. */
  leftOut: string[];
}
