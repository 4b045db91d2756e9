import { hostname, userInfo } from "node:os";
import type Docker from "dockerode";
import type { Deploy, DeployPoint } from "../backup/deploys.ts";
import { orWarn } from "../core/or-warn.ts";
import { withDocker } from "../docker/client.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { isRunning } from "../docker/server/running.ts";
import type { DockerPlace } from "./docker-place.ts";
import { commitOf } from "./git-commit.ts";

/** Makes restore points before a deploy, and records the deploy. */
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
   * Creates a restore point if the stack has a running server with backups, and records the deploy as unfinished, so
   * that it has a record if it is killed. Call it just before the deploy; if the deploy is tried again, the last
   * restore point counts.
   */
  async begin(place: DockerPlace): Promise<void> {
    await this.#end(undefined);
    await orWarn(this.#onWarning, "No restore point was made before the changes", async () => {
      const { createDeployPoint } = await import("../backup/deploys.ts");
      const { requireBackup } = await import("../backup/restore-point.ts");
      await withDocker(place.host, async (docker) => {
        if (!(await isRunning(docker, serverOf(place)))) return;
        // A stack without backups.
        if ((await unlessMissing(docker.getContainer(sidecarOf(place)).inspect())) === undefined) return;
        await requireBackup(docker, sidecarOf(place));
        this.#made = { place, point: await createDeployPoint(docker, serverOf(place)) };
      });
    });
    if (this.#made === undefined) return;
    const { point } = this.#made;
    const origin = { ...(await commitOf(this.#root)), user: userInfo().username, host: hostname() };
    await this.#change(place, ({ recordDeploy }, docker) =>
      recordDeploy(docker, sidecarOf(place), { ...point, ...origin }),
    );
  }

  /**
   * Records how the deploy ended, if {@link begin} made a restore point.
   *
   * @param changes number of changed resources; null if not known. Without changes, nothing stays recorded.
   */
  async record(outcome: Deploy["outcome"], changes: number | null): Promise<void> {
    await this.#end(changes === 0 ? undefined : { outcome, changes });
  }

  /** Removes the record of a deploy that did not begin. */
  async forget(): Promise<void> {
    await this.#end(undefined);
  }

  async #end(ended: Pick<Deploy, "outcome" | "changes"> | undefined): Promise<void> {
    if (this.#made === undefined) return;
    const { place, point } = this.#made;
    this.#made = undefined;
    await this.#change(place, ({ finishDeploy }, docker) =>
      finishDeploy(docker, sidecarOf(place), point.restorePoint, ended),
    );
  }

  async #change(
    { host }: DockerPlace,
    work: (deploys: typeof import("../backup/deploys.ts"), docker: Docker) => Promise<void>,
  ): Promise<void> {
    await orWarn(this.#onWarning, "The deploy was not recorded", async () => {
      const deploys = await import("../backup/deploys.ts");
      await withDocker(host, (docker) => work(deploys, docker));
    });
  }
}

function serverOf({ prefix }: DockerPlace): string {
  return `${prefix}-postgres`;
}

function sidecarOf({ prefix }: DockerPlace): string {
  return `${prefix}-backup`;
}
