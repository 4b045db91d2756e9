import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import type { Connection } from "../../scripts/connection/connection.ts";
import type { StackOutputs } from "../../scripts/model/stack-outputs.ts";
import { ensureEngine } from "../../scripts/pulumi/ensure-engine.ts";
import { connectionTo } from "../../scripts/stack/outputs.ts";
import { passphraseInEnvironment, passphraseVariables } from "../../scripts/stack/passphrase.ts";
import { stateFile } from "../../scripts/stack/state-file.ts";
import { writeCaFile } from "../../scripts/tls/ca-file.ts";
import { keyIterations } from "./processes/quick-engine.ts";
import { revealSecrets } from "./state-secrets.ts";

const run = promisify(execFile);

/**
 * Returns the outputs of a stack, including passwords. They are read from the state's file, which takes no process. The
 * engine reads a state that is kept elsewhere.
 */
export async function readStackOutputs(root: string, env: NodeJS.ProcessEnv, stack: string): Promise<StackOutputs> {
  const variables = { ...env, ...passphraseVariables(root, stack, env) };
  return (await outputsInFile(root, variables, stack)) ?? (await outputsFromEngine(root, variables, stack));
}

interface State {
  checkpoint: {
    latest?: {
      secrets_providers?: { type: string; state?: { salt: string } };
      resources?: { type: string; outputs?: unknown }[];
    };
  };
}

async function outputsInFile(root: string, env: NodeJS.ProcessEnv, stack: string): Promise<StackOutputs | undefined> {
  const file = stateFile(root, stack, env);
  const passphrase = passphraseInEnvironment(env);
  if (!file?.endsWith(".json") || passphrase === undefined) return undefined;
  const { latest } = (JSON.parse(await readFile(file, "utf8")) as State).checkpoint;
  const provider = latest?.secrets_providers;
  const outputs = latest?.resources?.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
  if (provider?.type !== "passphrase" || provider.state === undefined || outputs === undefined) return undefined;
  return (await revealSecrets(outputs, passphrase, provider.state.salt, keyIterations(env))) as StackOutputs;
}

async function outputsFromEngine(root: string, env: NodeJS.ProcessEnv, stack: string): Promise<StackOutputs> {
  const engine = await ensureEngine({ root, env });
  const args = ["stack", "output", "--stack", stack, "--json", "--show-secrets", "--non-interactive"];
  const { stdout } = await run(engine.pulumi, args, { cwd: root, env: { ...env, ...engine.environment } });
  return JSON.parse(stdout) as StackOutputs;
}

/** Returns the connection that `pgw url` prints for a role. */
export function connectionIn(
  outputs: StackOutputs,
  place: { root: string; stack: string },
  role: string,
  database: string = onlyDatabase(outputs),
): Connection {
  const connection = connectionTo(outputs, place.stack, database, role);
  const { caCertificate, sslrootcert } = outputs.server;
  // In the settings, this path is relative to the project.
  if (sslrootcert !== undefined) return { ...connection, sslrootcert: resolve(place.root, sslrootcert) };
  if (caCertificate === undefined) return connection;
  return { ...connection, sslrootcert: writeCaFile(place.root, place.stack, caCertificate) };
}

function onlyDatabase({ databases }: StackOutputs): string {
  const names = Object.keys(databases);
  const [name] = names;
  if (names.length === 1 && name !== undefined) return name;
  throw new Error(`the stack has ${names.length} databases: ${names.join(", ")}`);
}
