import { describeConnection } from "../connection/connection.ts";
import { everyConnection } from "../connection/environment.ts";
import { readEnvironmentFile } from "../connection/environment-file.ts";
import { localStack } from "../stack/local-stack.ts";
import type { CommandContext } from "./context.ts";
import type { ReadOutputs } from "./stack.ts";

/**
 * Warns if applications or commands would connect elsewhere than to a stack that was just brought up. Checks connection
 * variables of the environment, and a `.env` with an old port, password, database or CA. A `.env` that belongs to
 * another stack by its own entry is not compared.
 */
export async function warnOfOtherTargets(
  context: CommandContext,
  stack: string,
  readOutputs: ReadOutputs,
): Promise<void> {
  const file = await readEnvironmentFile(context.root);
  const isOthers = file?.stack !== undefined && file.stack !== stack;
  const inFile = file === undefined || isOthers ? [] : everyConnection(file.variables);
  const inEnvironment = everyConnection(context.env);
  if (inFile.length === 0 && inEnvironment.length === 0) return;
  const { differencesFrom } = await import("../stack/connection-differences.ts");
  const outputs = await readOutputs();
  const option = stack === localStack ? "" : ` --stack ${stack}`;

  const stale = inFile.flatMap(({ source, connection }) =>
    differencesFrom(outputs, connection).map((difference) => `${source}: ${difference}`),
  );
  if (stale.length > 0) {
    const names = Object.keys(outputs.databases);
    const isKept = names.length === 1 || inFile.some(({ connection }) => names.includes(connection.database));
    // The command keeps the file's database if the stack has it.
    const database = isKept ? "" : ` -d NAME`;
    context.out.warn(
      [
        `${file?.path} does not connect to stack "${stack}":`,
        ...stale.map((line) => `  ${line}`),
        "  Write it again; its other variables are kept:",
        `    npm run db:setup -- --write-env --force${database}${option}`,
      ].join("\n"),
    );
  }
  for (const { source, connection } of inEnvironment) {
    const differences = differencesFrom(outputs, connection);
    if (differences.length === 0) continue;
    const names = source === "DATABASE_URL" ? source : `the ${source} variables`;
    context.out.warn(
      [
        `${source} in the environment connects to ${describeConnection(connection)}, not to stack "${stack}" (${differences.join("; ")}).`,
        `  Commands without --stack use that connection. Unset ${names}, or add --stack ${stack}.`,
      ].join("\n"),
    );
  }
}
