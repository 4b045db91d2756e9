import { randomInt } from "node:crypto";
import getPort, { portNumbers } from "get-port";

/**
 * Returns a TCP port that stays free until the test uses it. It is outside the range of outgoing connections, one of
 * which could take it, and outside the range that the kit's servers choose from. The search starts at a random port, so
 * tests that run side by side find different ones.
 */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  return getPort({ port: portNumbers(randomInt(30_000, 32_000), 32_767), host });
}
