// Preloaded into every Node.js process of a test's project. A process that was started as a provider plugin or as the
// Pulumi program forwards its work to the project's host of that kind, which has loaded the code already. The work ends
// when this process ends. Other processes continue normally.
import { existsSync } from "node:fs";
import { connect } from "node:net";

const [, file = "", ...argv] = process.argv;
const plugin = /\/infra\/(provider|fallback-providers\/\w+)\/main\.ts$/.exec(file)?.[1];
const isProgram = /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]run[\\/]index\.js$/.test(file);

if (/[\\/]pgw\.mjs$/.test(file) && process.env.PGW_TEST_KEY_ITERATIONS) await import("./key-derivation.mjs");
if (plugin !== undefined) await forward(process.env.PGW_TEST_PLUGIN_HOST, servePlugin);
if (isProgram) await forward(process.env.PGW_TEST_PROGRAM_HOST, endWithProgram);

/**
 * Forwards this process's work. Without a host that listens, it returns, and the process does its work itself.
 *
 * @param {string | undefined} socket
 * @param {(answer: string) => void} onAnswer
 */
async function forward(socket, onAnswer) {
  if (socket === undefined || !existsSync(socket)) return;
  const host = connect(socket);
  const reached = await new Promise((resolve) => {
    host.on("connect", () => resolve(true));
    host.on("error", () => resolve(false));
  });
  if (!reached) return;
  host.write(`${JSON.stringify({ plugin, argv, cwd: process.cwd(), env: process.env })}\n`);
  host.setEncoding("utf8").on("data", onAnswer);
  host.on("close", () => process.exit(1));
  // It would outlive an engine that was killed, unless it checks its parent process.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 500);
  await new Promise(() => {});
}

/** @param {string} port where the host serves the plugin */
function servePlugin(port) {
  process.stdout.write(port);
}

/** @param {string} code exit code of the program */
function endWithProgram(code) {
  process.exit(Number(code));
}
