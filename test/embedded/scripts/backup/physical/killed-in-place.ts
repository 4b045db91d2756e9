import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect } from "vitest";
import {
  finishArchiveRestore,
  type InPlaceOptions,
  undoArchiveRestore,
} from "../../../../../scripts/backup/physical/in-place.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import { ownHolder } from "../../../../../scripts/docker/scratch-holder.ts";
import type { TestServer } from "../../../server.ts";
import type { InPlaceWork } from "./in-place-process.ts";

/** A server with an archive that lacks the row that the server got later. */
export interface KilledInPlace {
  /** Restores in place or undoes that, killed after a step if one is named. Returns the steps. */
  run(what: InPlaceWork["what"], killAfter?: number): Promise<string[]>;
  /** Returns to the former cluster with the next commands, and compares its rows. */
  converge(what: string): Promise<void>;
}

/** @param given the database `shop` of the server has a table `item` */
export function killedInPlace(
  server: TestServer,
  given: Omit<InPlaceWork, "what" | "outputs"> & { folder: string },
): KilledInPlace {
  const { place, archives, folder } = given;
  const { host, port, password = "" } = server.connection();
  const at = { kind: "embedded", host, port, sslmode: "disable", version: "17" } as const;
  const outputs = {
    server: {
      ...{ ...at, dataDirectory: place.directory.data, logDirectory: place.directory.log },
      logins: { superuser: { user: "postgres", password } },
    },
    databases: {},
  } as InPlaceWork["outputs"];
  const files = { request: join(folder, "request.json"), steps: join(folder, "steps") };
  const data = place.directory.data;
  const left = async () =>
    (await readdir(dirname(data))).filter(
      (name) => name.startsWith(`${basename(data)}.`) || name === "in-place-restore",
    );
  const rows = () =>
    withClient(server.connection("shop"), async (client) => {
      const { rows: found } = await client.query("select count(*), max(id) from item");
      return found;
    });
  let former: unknown[];
  const options = async (): Promise<InPlaceOptions> => ({
    ...{ identityFile: undefined, holder: await ownHolder(), signal: new AbortController().signal },
    ...{ onStep: () => undefined, onNote: () => undefined },
    exclusively: (work) => work(outputs),
  });
  const whole = { ...place, owner: undefined };
  return {
    async run(what, killAfter) {
      former ??= await rows();
      await rm(files.steps, { force: true });
      await writeFile(files.request, JSON.stringify({ what, place, archives, outputs } satisfies InPlaceWork));
      const [preload, script] = ["kill-after-step.ts", "in-place-process.ts"].map((name) =>
        join(import.meta.dirname, name),
      );
      const child = spawn(process.execPath, ["--import", preload ?? "", script ?? "", files.request], {
        env: { ...process.env, PGW_STEPS_FILE: files.steps, ...(killAfter && { PGW_KILL_AFTER: String(killAfter) }) },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let text = "";
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      expect([code, signal], text).toEqual(killAfter === undefined ? [0, null] : [null, "SIGKILL"]);
      return (await readFile(files.steps, "utf8")).trim().split("\n");
    },
    async converge(what) {
      const undone = await undoArchiveRestore(whole, await options(), async () => undefined).then(
        () => "undone",
        (error: Error) => error.message,
      );
      expect(["undone", "No cluster from before an in-place restore is kept."], what).toContain(undone);
      expect(await rows(), what).toEqual(former);
      if ((await left()).length > 0) await finishArchiveRestore(whole, await options(), async () => undefined);
      expect([await left(), await rows()], what).toEqual([[], former]);
    },
  };
}
