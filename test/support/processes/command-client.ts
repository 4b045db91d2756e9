import { connect } from "node:net";
import { text } from "node:stream/consumers";

/** Result of a command. */
interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Commands that use the terminal, print without end, or import files that tests change. */
const needsProcess = new Set(["psql", "logs", "import"]);

/**
 * Runs a `pgw` command in the project's host.
 *
 * @returns undefined if the command needs a process of its own: because of its kind, because the host runs another
 * command, or because tests changed how processes of the project start
 */
export async function runOnHost(
  argv: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Finished | undefined> {
  const { PGW_TEST_COMMAND_HOST: socket, NODE_OPTIONS: options = "" } = env;
  const [command = ""] = argv;
  const isVerbose = argv.includes("--verbose") || argv.includes("-v");
  const isChanged = !options.endsWith("/launcher.mjs") || env.TZ !== process.env.TZ;
  if (socket === undefined || needsProcess.has(command) || isVerbose || isChanged) return undefined;
  const connection = connect(socket);
  connection.write(`${JSON.stringify({ argv, cwd, env })}\n`);
  const answer = await text(connection);
  if (answer === "") throw new Error(`The host of commands ended during: pgw ${argv.join(" ")}. See ${socket}.log.`);
  return answer === "busy\n" ? undefined : (JSON.parse(answer) as Finished);
}
