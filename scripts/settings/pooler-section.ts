import { z } from "zod";
import { parseNumbers, type Ranges } from "./numbers.ts";
import { reportTo } from "./report-fault.ts";
import { fromJson } from "./setting.ts";

/** Settings of the pooler. */
export interface PoolerSettings {
  /** Port on the address of the server's port. If absent, a free port is chosen once. */
  port?: number;
  /** Maximum number of client connections. */
  maxClients: number;
  /** Server connections for each database. If absent, they are planned from `max_connections`. */
  poolSize?: number;
}

export const defaultPooler: Readonly<PoolerSettings> = { maxClients: 2_000 };

const ranges: Ranges<keyof PoolerSettings> = {
  port: { max: 65_535, unit: "a port" },
  maxClients: { max: 20_000, unit: "a whole number" },
  poolSize: { max: 10_000, unit: "a whole number" },
};

/**
 * Parses the section `pooler`: `true` for the defaults, or an object for deviations from them. The result is undefined
 * if there is no pooler.
 */
export function poolerSection() {
  const written = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
  return fromJson(
    written.transform((section, context): PoolerSettings | undefined => {
      if (section === false) return undefined;
      return { ...defaultPooler, ...parseNumbers(section === true ? {} : section, ranges, reportTo(context)) };
    }),
  );
}
