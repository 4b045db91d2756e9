import type Docker from "dockerode";
import { endOf } from "../../scripts/container/downtime.ts";
import { queryInContainer } from "../../scripts/container/query.ts";
import { reloadServer } from "../../scripts/container/reload.ts";
import { startContainer } from "../../scripts/container/running.ts";
import { setSuperuserPassword } from "../../scripts/container/superuser-password.ts";
import { waitForServer } from "../../scripts/container/wait.ts";
import { OperationError } from "../../scripts/errors/operation-error.ts";
import type { ServerSettings } from "../../scripts/server/configuration.ts";
import { readParameters } from "../../scripts/server/parameters.ts";
import { describeSettingChange, settingChanges } from "../../scripts/server/setting-changes.ts";
import { configurationFiles } from "../plan/container.ts";
import type { CallContext } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";
import { onEngine } from "./on-engine.ts";
import { runningContainer } from "./running-container.ts";

/**
 * The server in a container as it is declared: it runs, it has read its files, its superuser has the password. All of it in place, over the socket in the
 * container: a password is rotated and a certificate renewed without the container being replaced; a setting that needs a restart restarts it.
 */
export const containerServer = runningContainer({
  secretOutputs: ["superuserPassword"],
  ignored: ["timeoutSeconds"],
  settle,
  describe: describeChanges,
});

async function settle(context: CallContext, inputs: Properties, before: Properties | undefined): Promise<void> {
  const container = String(inputs.container);
  const { signal } = context;
  const seconds = Number(inputs.timeoutSeconds ?? 60);
  await onEngine(inputs, async (docker) => {
    await startContainer(docker, container);
    const answer = await waitForServer(docker, container, seconds, signal);
    if (before !== undefined && before.containerId !== inputs.containerId)
      await context.log("info", await describeReplacement(docker, before, inputs, answer));
    await setSuperuserPassword(docker, container, String(inputs.superuserPassword));
    // A container that was made anew has read them at its start.
    if (before === undefined || before.revision === inputs.revision || before.containerId !== inputs.containerId)
      return;
    const waiting = await reloadServer(docker, container);
    if (waiting.length === 0) return;
    const begun = performance.now();
    await docker.getContainer(container).restart();
    await waitForServer(docker, container, seconds, signal);
    const took = ((performance.now() - begun) / 1_000).toFixed(1);
    await context.log("info", `restarted for ${waiting.join(", ")}: ${took} s without the server`);
  });
}

/** A server that was there at once after this long, in ms, was ready nobody knows since when. */
const unwatched = 5_000;

/** How long clients had no server while one container took another's place. */
async function describeReplacement(
  docker: Docker,
  before: Properties,
  inputs: Properties,
  { answeredAt, atOnce }: { answeredAt: number; atOnce: boolean },
): Promise<string> {
  const { State: state } = await docker.getContainer(String(inputs.containerId)).inspect();
  const wasWatched = !atOnce || answeredAt - Date.parse(state.StartedAt) < unwatched;
  const gone = wasWatched ? await endOf(docker, String(before.containerId), answeredAt) : undefined;
  return gone === undefined
    ? "replaced: how long there was no server could not be told"
    : `replaced: ${((answeredAt - gone) / 1_000).toFixed(1)} s without the server`;
}

/** Says of each setting what its change does to the running server, as far as that can be asked. */
async function describeChanges(context: CallContext, old: Properties, news: Properties): Promise<void> {
  if (isUnknown([old.settings, news.settings])) return;
  const container = String(old.container);
  try {
    await onEngine(old, async (docker) => {
      const parameters = await readParameters({
        query: async <Row>(sql: string) => ({ rows: await queryInContainer<Row>(docker, container, sql) }),
      });
      const changes = settingChanges(
        parameters,
        configurationFiles.postgresql,
        old.settings as ServerSettings,
        news.settings as ServerSettings,
      );
      for (const change of changes) await context.log("info", describeSettingChange(change));
    });
  } catch (error) {
    // One that does not run has no say: `up` starts it.
    if (!(error instanceof OperationError)) throw error;
  }
}
