import type Docker from "dockerode";
import { settingsOptions, socketSettings } from "../../connection/session-settings.ts";
import { OperationError } from "../../core/operation-error.ts";
import { renderConfiguration, type ServerSettings } from "../../server/configuration.ts";
import {
  type LiveState,
  liveStateQuery,
  startRefusal,
  TrialRefused,
  type TriedSettings,
  trialOptions,
  triedSettingsQuery,
  trySettings,
} from "../../server/settings-trial.ts";
import { unlessMissing } from "../docker-error.ts";
import { runInContainer } from "../run-in-container.ts";
import { queryInContainer } from "./query.ts";
import { isRunning } from "./running.ts";

/** Time limit of a trial start, in seconds. */
const startSeconds = 60;

const folder = "/tmp/pgroundwork-trial";
const data = `${folder}/data`;
const configuration = `${folder}/postgresql.conf`;

/** Exit codes of the script. */
const codes = { noCluster: 90, noStart: 91, noSession: 92, late: 93 } as const;

/**
 * Script of one trial. It makes a cluster, starts it with the options in the arguments, runs the query on its input,
 * and stops it. The server's log is its error output if the server does not start.
 */
const script = `umask 077
rm -rf ${data}
initdb --pgdata=${data} --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions \
  >${folder}/log 2>&1 || { cat ${folder}/log >&2; exit ${codes.noCluster}; }
cat ${folder}/altered >>${data}/postgresql.auto.conf
postgres -D ${data} "$@" >${folder}/log 2>&1 </dev/null &
server=$!
tenths=0
until [ "$(sed -n '8s/ *$//p' ${data}/postmaster.pid 2>/dev/null)" = ready ]; do
  if ! kill -0 "$server" 2>/dev/null; then
    wait "$server"
    [ $? -ne 137 ] || echo "FATAL:  the server was killed: the container's memory is too small for it" >>${folder}/log
    cat ${folder}/log >&2
    exit ${codes.noStart}
  fi
  [ "$tenths" -lt ${startSeconds * 10} ] || { cat ${folder}/log >&2; exit ${codes.late}; }
  tenths=$((tenths + 1))
  sleep 0.1
done
psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --host=${folder} --port=5432 \
  --username=postgres --dbname=postgres || exit ${codes.noSession}
kill -QUIT "$server"
wait "$server"
exit 0`;

/**
 * Starts a throwaway cluster with settings in a scratch container, and refuses them if it does not start.
 *
 * @param container running container of the server's image, with the server's memory
 * @param server name of the server's container, whose data and ALTER SYSTEM are respected if it runs
 * @throws OperationError with PostgreSQL's message
 */
export async function tryStartInContainer(
  docker: Docker,
  { container, server }: { container: string; server: string | undefined },
  settings: ServerSettings,
): Promise<void> {
  const live = server === undefined ? undefined : await liveStateOf(docker, server);
  const standbys = live?.standbys ?? (await standbysWithoutServer(docker, server));
  await writeFile(docker, container, configuration, renderConfiguration(settings));
  await writeFile(docker, container, `${folder}/altered`, live?.altered ?? "");
  await trySettings(settings, live, (overrides) => tryOnce(docker, container, overrides), standbys);
}

/**
 * A server that does not exist yet has no standbys. Those of a stopped server are unknown: they connect once it runs.
 */
async function standbysWithoutServer(docker: Docker, server: string | undefined): Promise<string[] | undefined> {
  const exists = server !== undefined && (await unlessMissing(docker.getContainer(server).inspect())) !== undefined;
  return exists ? undefined : [];
}

/** Returns undefined if the server does not answer: it does not exist yet, is stopped, or cannot start. */
async function liveStateOf(docker: Docker, server: string): Promise<LiveState | undefined> {
  try {
    if (!(await isRunning(docker, server))) return undefined;
    return (await queryInContainer<LiveState>(docker, server, liveStateQuery))[0];
  } catch {
    return undefined;
  }
}

/** Writes a file through standard input, because a value can be a secret. */
async function writeFile(docker: Docker, container: string, path: string, text: string): Promise<void> {
  const command = ["sh", "-c", 'umask 077; mkdir -p "$(dirname "$1")"; cat >"$1"', "sh", path];
  const { code, stderr } = await runInContainer(docker, container, { command, input: text });
  if (code !== 0) throw notTried(stderr);
}

/** Settings of the session. The query reads the level of commits that the tried settings have. */
const { synchronous_commit: _, ...sessionSettings } = socketSettings;

async function tryOnce(docker: Docker, container: string, overrides: ServerSettings): Promise<TriedSettings> {
  const options = trialOptions({ configuration, dataDirectory: data, socketDirectory: folder, overrides });
  const { code, stdout, stderr } = await runInContainer(docker, container, {
    command: ["sh", "-c", script, "sh", ...options],
    input: `select row_to_json(tried) from (${triedSettingsQuery}) tried;\n`,
    environment: { PGOPTIONS: settingsOptions(sessionSettings), PGCONNECT_TIMEOUT: "10", PGCLIENTENCODING: "UTF8" },
  });
  switch (code) {
    case 0:
      return JSON.parse(stdout) as TriedSettings;
    case codes.noStart:
      throw new TrialRefused(startRefusal(stderr));
    case codes.noSession:
      throw new TrialRefused(sessionRefusal(stderr));
    case codes.late:
      throw notTried(`it did not start within ${startSeconds} s. The end of its log:\n${lastLines(stderr)}`);
    default:
      throw notTried(lastLines(stderr) || `the trial ended with ${code}`);
  }
}

/** Returns the server's words in an error of psql about a connection. */
function sessionRefusal(stderr: string): string {
  return stderr
    .trim()
    .replace(/^psql: error: connection to server .*? failed: /s, "")
    .replaceAll(/^(?:FATAL|ERROR): +/gm, "");
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-5).join("\n");
}

function notTried(reason: string): OperationError {
  return new OperationError(`The settings could not be tried with a throwaway cluster: ${reason.trim()}`, {
    hint: "The server was not changed. Run the command again. If it fails again, see the Docker engine's log.",
  });
}
