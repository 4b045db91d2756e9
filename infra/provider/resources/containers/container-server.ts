import type Docker from "dockerode";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { makeRoomForVolumes, volumeSpaceOf } from "../../../../scripts/docker/server/disk-space.ts";
import { endOf } from "../../../../scripts/docker/server/downtime.ts";
import { queryInContainer } from "../../../../scripts/docker/server/query.ts";
import { reloadServer } from "../../../../scripts/docker/server/reload.ts";
import { startContainer } from "../../../../scripts/docker/server/running.ts";
import { setSuperuserPassword } from "../../../../scripts/docker/server/superuser-password.ts";
import { waitForServer } from "../../../../scripts/docker/server/wait.ts";
import type { ServerSettings } from "../../../../scripts/server/configuration.ts";
import { diskWarning } from "../../../../scripts/server/disk-space.ts";
import { readParameters } from "../../../../scripts/server/parameters.ts";
import { describeSettingChange, settingChanges } from "../../../../scripts/server/setting-changes.ts";
import { configurationFiles } from "../../../plan/container.ts";
import type { CallContext } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { runningContainer } from "./running-container.ts";

/**
 * The server in a container as declared: it runs, has read its files, and its superuser has the password. Everything is
 * applied in place, over the socket in the container. A rotated password or a renewed certificate does not replace the
 * container. A setting that needs a restart restarts it.
 */
export const containerServer = runningContainer({
  ignored: ["timeoutSeconds"],
  settle,
  warn: warnOfDisk,
  describe: describeChanges,
});

async function warnOfDisk(context: CallContext, inputs: Properties): Promise<void> {
  const space = await onEngine(inputs, (docker) => volumeSpaceOf(docker, String(inputs.container)));
  const warning = space && diskWarning(`The filesystem of the volume ${space.volume}`, space, makeRoomForVolumes);
  if (warning !== undefined) await context.log("warning", warning);
}

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
    // A container that was replaced has read the files at its start.
    if (before === undefined || before.revision === inputs.revision || before.containerId !== inputs.containerId)
      return;
    const waiting = await reloadServer(docker, container);
    if (waiting.length === 0) return;
    const begun = performance.now();
    await docker.getContainer(container).restart();
    await waitForServer(docker, container, seconds, signal);
    const took = ((performance.now() - begun) / 1_000).toFixed(1);
    await context.log("info", `restarted to apply ${waiting.join(", ")}: the server was down for ${took} s`);
  });
}

/** Limit in ms. A server that was started earlier than this, and answers at once, became ready at an unknown time. */
const unwatched = 5_000;

/** Describes how long clients had no server while a new container replaced the old one. */
async function describeReplacement(
  docker: Docker,
  before: Properties,
  inputs: Properties,
  { answeredAt, isFirstAnswer }: { answeredAt: number; isFirstAnswer: boolean },
): Promise<string> {
  const { State: state } = await docker.getContainer(String(inputs.containerId)).inspect();
  const wasWatched = !isFirstAnswer || answeredAt - Date.parse(state.StartedAt) < unwatched;
  const gone = wasWatched ? await endOf(docker, String(before.containerId), answeredAt) : undefined;
  return gone === undefined
    ? "replaced: the downtime is unknown"
    : `replaced: the server was down for ${((answeredAt - gone) / 1_000).toFixed(1)} s`;
}

/** Logs what the change of each setting does to the running server, if the server can be queried. */
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
    // Ignored: the server is stopped, and `up` starts it.
    if (!(error instanceof OperationError)) throw error;
  }
}
