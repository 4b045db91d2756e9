import { Pool } from "./pool.ts";
import { type PoolOptions, poolSettings } from "./settings.ts";

/**
 * Creates a pool of connections. Nothing connects until the first statement.
 *
 * @throws OperationError (wrong usage) with all problems of the options and the environment
 */
export function createPool(options: PoolOptions = {}): Pool {
  return new Pool(poolSettings(options));
}
