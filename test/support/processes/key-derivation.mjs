// Makes a command derive the key of a stack's secrets as the engine of most tests does: with fewer iterations.
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

const realIterations = 1_000_000;
const derive = crypto.pbkdf2Sync;
crypto.pbkdf2Sync = (passphrase, salt, iterations, ...more) => {
  const ofEngine = Number(process.env.PGW_TEST_KEY_ITERATIONS ?? realIterations);
  return derive(passphrase, salt, iterations === realIterations ? ofEngine : iterations, ...more);
};
syncBuiltinESMExports();
