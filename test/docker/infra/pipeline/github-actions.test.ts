import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Clone, Finished } from "../../../embedded/clone.ts";
import { makeClone } from "../../../embedded/clone.ts";
import { commit, shopDrafts } from "../../../embedded/infra/program/shop.ts";
import { type DockerStack, makeDockerStack } from "../../stack.ts";

interface Pipeline {
  env: Record<string, string>;
  jobs: Record<string, { steps: { uses?: string; run?: string }[] }>;
}

describe("the example pipeline for GitHub Actions", () => {
  let team: DockerStack;
  let runner: Clone;
  let pipeline: Pipeline;

  beforeAll(async () => {
    team = await makeDockerStack();
    runner = team.clone;
    const file = join(runner.root, "infra/pipeline/github-actions.yml");
    pipeline = parse(await readFile(file, "utf8")) as Pipeline;
    await runner.shell("mkdir state");
  });

  /**
   * Runs the commands of a job as a runner does, with the secrets in the environment. `npm ci` is left out: it has been
   * done.
   */
  async function run(job: string, clone = runner): Promise<Finished> {
    const lines = (pipeline.jobs[job]?.steps ?? [])
      .flatMap((step) => step.run ?? [])
      .filter((line) => line !== "npm ci");
    const names = Object.keys(pipeline.env);
    expect(names).toEqual(["STACK", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"]);
    Object.assign(clone.env, {
      STACK: team.stack,
      PULUMI_BACKEND_URL: `file://${runner.root}/state`,
      PULUMI_CONFIG_PASSPHRASE: "of-the-team",
    });
    return clone.shell(`set -e\n${lines.join("\n")}`);
  }

  it("brings the stack up on a merge, and changes nothing when it runs again", async () => {
    const first = await run("up");
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toMatch(/^\d+ created/m);
    expect((await run("up")).stdout).toMatch(/^no changes/m);
  });

  it("previews a pull request from another runner without applying it", async () => {
    const other = await makeClone();
    try {
      await other.shell(
        `rm -rf migrations && cp -r ${runner.root}/migrations . && cp ${runner.root}/Pulumi.${team.stack}.yaml .`,
      );
      expect((await run("preview", other)).stdout).toMatch(/^no changes/m);
      await commit(other, [...shopDrafts, { name: "notes", body: "create table note (id integer primary key);" }]);
      const { code, stdout, stderr } = await run("preview", other);
      expect(code, stderr).toBe(0);
      expect(stdout + stderr).toContain("000003-notes.sql");
      expect(await team.query("superuser", "select to_regclass('note') as note")).toEqual([{ note: null }]);
    } finally {
      await other.remove();
    }
  });
});
