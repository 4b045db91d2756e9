import { execFile } from "node:child_process";
import { hostname, userInfo } from "node:os";
import { promisify } from "node:util";
import type { Deploy, DeployPoint } from "../backup/deploys.ts";
import { orWarn } from "../core/or-warn.ts";
import { withDocker } from "../docker/client.ts";
import { isRunning } from "../docker/server/running.ts";
import type { DockerPlace } from "./docker-place.ts";

const execute = promisify(execFile);

/** Makes restore points before a deploy, and records it afterwards. */
export class DeployRecorder {
  readonly #root: string;
  readonly #onWarning: (text: string) => void;
  #made: { place: DockerPlace; point: DeployPoint } | undefined;

  /**
   * @param root project directory
   * @param onWarning gets the reason why there is no restore point or no record. The deploy does not fail for it.
   */
  constructor(root: string, onWarning: (text: string) => void) {
    this.#root = root;
    this.#onWarning = onWarning;
  }

  /**
   * Creates a restore point if the stack has a running server with backups. Call it just before the deploy; if the
   * deploy is tried again, the last restore point counts.
   */
  async begin(place: DockerPlace): Promise<void> {
    this.#made = undefined;
    await orWarn(this.#onWarning, "No restore point was made before the changes", async () => {
      const { createDeployPoint } = await import("../backup/deploys.ts");
      await withDocker(place.host, async (docker) => {
        const containers = [serverOf(place), sidecarOf(place)];
        for (const container of containers) if (!(await isRunning(docker, container))) return;
        this.#made = { place, point: await createDeployPoint(docker, serverOf(place)) };
      });
    });
  }

  /**
   * Records the deploy if {@link begin} made a restore point.
   *
   * @param changes number of changed resources; null if not known
   */
  async record(outcome: Deploy["outcome"], changes: number | null): Promise<void> {
    if (this.#made === undefined) return;
    const { place, point } = this.#made;
    await orWarn(this.#onWarning, "The deploy was not recorded", async () => {
      const { recordDeploy } = await import("../backup/deploys.ts");
      const origin = { ...(await commitOf(this.#root)), user: userInfo().username, host: hostname() };
      await withDocker(place.host, (docker) =>
        recordDeploy(docker, sidecarOf(place), { ...point, outcome, changes, ...origin }),
      );
    });
  }
}

function serverOf({ prefix }: DockerPlace): string {
  return `${prefix}-postgres`;
}

function sidecarOf({ prefix }: DockerPlace): string {
  return `${prefix}-backup`;
}

/** Returns the Git commit of a folder. */
async function commitOf(root: string): Promise<Pick<Deploy, "commit" | "isModified">> {
  try {
    const { stdout: commit } = await execute("git", ["rev-parse", "HEAD"], { cwd: root });
    const { stdout: changed } = await execute("git", ["status", "--porcelain"], { cwd: root });
    return { commit: commit.trim(), isModified: changed.trim() !== "" };
  } catch {
    return { commit: null, isModified: false };
  }
}
