import { beforeAll, describe, expect, it } from "vitest";
import { runInContainer } from "../../../../../scripts/docker/run-in-container.ts";
import { buildImage } from "../../../build-image.ts";
import { dockerObjects } from "../../../docker-objects.ts";
import { postgresImage, postgresImageContext } from "../../../postgres-image.ts";

const assertVersion = "/usr/local/share/pgroundwork/build/assert-version";

describe("the PostgreSQL version of the image", () => {
  const objects = dockerObjects();
  const { docker } = objects;
  let container: string;
  beforeAll(async () => {
    const image = await postgresImage();
    const made = await docker.createContainer({
      name: objects.name("versions"),
      Image: image,
      Cmd: ["sleep", "600"],
      HostConfig: { Init: true },
    });
    await made.start();
    container = made.id;
  });
  const check = async (candidate: string, exact: string, minimum: string) => {
    const policy = `postgresql-17:\n  Installed: (none)\n  Candidate: ${candidate}\n  Version table:\n`;
    const command = [assertVersion, policy, "PostgreSQL", "POSTGRES", exact, minimum];
    const { code, stderr } = await runInContainer(docker, container, { command });
    return { code, said: stderr.trim() };
  };
  const good = { code: 0, said: "" };

  it("fails the build with a message if the distribution has another version", async () => {
    const { error, output } = await buildImage(docker, postgresImageContext, `${objects.prefix}:never`, {
      POSTGRES_VERSION: "17.1",
    });
    expect(error).toContain("returned a non-zero code: 1");
    expect(output).toMatch(/error: POSTGRES_VERSION asks for PostgreSQL 17\.1, and the distribution has 17\.\d+\./);
  });

  it("is accepted if it is the minimum or later", async () => {
    expect(await check("17.11-0+deb13u1", "", "17.11")).toEqual(good);
    expect(await check("17.12-0+deb13u1", "", "17.11")).toEqual(good);
  });

  it("is refused if it is below the minimum, compared as a number", async () => {
    expect(await check("17.9-0+deb13u1", "", "17.11")).toEqual({
      code: 1,
      said: "error: POSTGRES_MINIMUM asks for PostgreSQL 17.11 or later, and the distribution has 17.9.",
    });
  });

  it("is accepted only if it is exactly the requested one", async () => {
    expect(await check("17.11-0+deb13u1", "17.11", "17.12")).toEqual(good);
    expect(await check("17.12-0+deb13u1", "17.11", "17.11")).toEqual({
      code: 1,
      said: "error: POSTGRES_VERSION asks for PostgreSQL 17.11, and the distribution has 17.12.",
    });
  });

  it("is reported as missing if the distribution does not have the package", async () => {
    expect(await check("(none)", "", "17.11")).toEqual({
      code: 1,
      said: "error: the distribution has no PostgreSQL: its package lists do not name it.",
    });
  });
});
