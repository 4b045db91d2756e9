import { describe, expect, it } from "vitest";
import { NotKnown } from "../../../../scripts/connection/observer.ts";
import { engineReader, knownOf } from "../../../../scripts/health/engine-reader.ts";

const nowhere = "tcp://127.0.0.1:1";
const closed = "No Docker engine answers on tcp://127.0.0.1:1: ECONNREFUSED.";

describe("a reader of what a container has", () => {
  it("says why a value is not known, if the engine does not answer", async () => {
    const read = engineReader(nowhere, "db", (docker) => docker.info());
    await expect(read()).rejects.toThrow(new NotKnown(closed));
    expect(await knownOf(read)).toEqual({ known: false, reason: closed });
  });

  it("does not take a fault of the kit for a value that is not known", async () => {
    const read = engineReader(nowhere, "db", () => Promise.reject(new TypeError("x is undefined")));
    await expect(read()).rejects.toThrow(TypeError);
    await expect(knownOf(read)).rejects.toThrow(TypeError);
  });

  it("returns the value of the container that it is asked for", async () => {
    const read = engineReader(nowhere, "db", (_docker, container) => Promise.resolve(`of ${container}`));
    expect(await knownOf(read)).toEqual({ known: true, value: "of db" });
  });
});
