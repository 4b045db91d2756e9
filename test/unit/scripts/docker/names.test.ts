import type Docker from "dockerode";
import { describe, expect, it } from "vitest";
import { chooseNames, ownerOf } from "../../../../scripts/docker/names.ts";

const clone = "/home/ana/my clone";

describe("the owner label of a stack in a Docker engine", () => {
  const own = ownerOf(undefined, clone);

  it("identifies the project directory if that keeps the state, in any notation of the backend", () => {
    expect(own).toMatch(/^[0-9a-f]{12}$/);
    for (const backend of ["", "file://./.pgroundwork", "file:///home/ana/my%20clone/.pgroundwork"])
      expect(ownerOf(backend, clone), backend).toBe(own);
    expect(ownerOf(undefined, "/home/ana/other")).not.toBe(own);
    expect(ownerOf(undefined, `${clone}2`)).not.toBe(own);
  });

  it("identifies the backend if that is shared, for every project directory", () => {
    const shared = ownerOf("s3://states", clone);
    expect(shared).toBe(ownerOf("s3://states", "/srv/ci"));
    expect(new Set([own, shared, ownerOf("s3://others", clone), ownerOf("file:///srv/states", clone)]).size).toBe(4);
  });
});

describe("the names of a stack's objects in a Docker engine", () => {
  const owner = "0123456789ab";
  const labels = (of: string) => ({ "pgroundwork.owner": of });
  /** Returns an engine with these volumes and with data of the stack. */
  const engine = (volumes: object[], data: object[] = []) =>
    ({
      listVolumes: async ({ filters }: { filters: { label?: string[] } }) => {
        const found = filters.label === undefined ? volumes : data;
        return { Volumes: found.length === 0 ? null : found };
      },
    }) as unknown as Docker;
  const prefix = async (docker: Docker) => (await chooseNames(docker, { project: "shop", stack: "dev" }, owner)).prefix;

  it("are short if they are free, or left by a run of the stack itself", async () => {
    expect(await prefix(engine([]))).toBe("shop-dev");
    expect(await prefix(engine([{ Name: "shop-dev-config", Labels: labels(owner) }]))).toBe("shop-dev");
    expect(await prefix(engine([{ Name: "shop-dev-2-data", Labels: null }]))).toBe("shop-dev");
  });

  it("are longer if a volume with such a name has another owner, and its data is not adopted", async () => {
    for (const role of ["data", "config", "run", "backup"]) {
      const name = `shop-dev-${role}`;
      expect(await prefix(engine([{ Name: name, Labels: null }])), role).toBe("shop-dev-012345");
      expect(await prefix(engine([{ Name: name, Labels: labels("other") }])), role).toBe("shop-dev-012345");
    }
  });

  it("are the ones that the data of the stack has", async () => {
    const data = [{ Name: "shop-dev-012345-data", Labels: labels(owner) }];
    expect(await prefix(engine([{ Name: "shop-dev-data", Labels: labels("other") }], data))).toBe("shop-dev-012345");
  });
});
