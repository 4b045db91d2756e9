import { describe, expect, it } from "vitest";
import { baseArguments, postgresBuildArguments } from "../../../../infra/plan/build-arguments.ts";

describe("the arguments of an image's build", () => {
  it("are left to the Dockerfile unless the stack chooses them", () => {
    expect(postgresBuildArguments({ postgis: false })).toEqual({ POSTGIS: "false" });
    expect(baseArguments(undefined)).toEqual({});
  });

  it("have the base image of every image, and the exact release of PostgreSQL", () => {
    const base = "debian@sha256:1234";
    expect(postgresBuildArguments({ postgis: true, baseImage: base, postgresVersion: "17.12" })).toEqual({
      POSTGIS: "true",
      BASE: base,
      POSTGRES_VERSION: "17.12",
    });
    expect(baseArguments(base)).toEqual({ BASE: base });
  });
});
