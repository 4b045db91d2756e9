import { describe, expect, it } from "vitest";
import { BuildStatus } from "../../../../../infra/fallback-providers/docker/build-status.ts";

/** Output of a build, in the pieces in which an engine sent it. */
const pieces = [
  "Step 1/3 : FROM debian:trixie-slim",
  "\n",
  " ---> 5d0da3dc9764\n",
  "Step 2/3 : RUN apt-get update",
  "\n",
  " ---> Running in a1b2c3d4e5f6\n",
  "Get:1 http://deb.debian.org/debian trixie InRelease [140 kB]\nGet:2 http://deb.debian.org/debian trixie/main\n",
  "Reading package lists...\r\n",
  "Removing intermediate container a1b2c3d4e5f6\n",
];

describe("the status of an image build", () => {
  it("is the step of how many, and the last line that it printed", async () => {
    const reported: string[] = [];
    const status = new BuildStatus(async (text) => void reported.push(text));
    for (const piece of pieces) {
      status.read(piece);
      await new Promise(setImmediate);
    }
    expect(reported).toEqual([
      "step 1 of 3: FROM debian:trixie-slim",
      "step 2 of 3: RUN apt-get update",
      "step 2 of 3: Get:2 http://deb.debian.org/debian trixie/main",
      "step 2 of 3: Reading package lists...",
    ]);
  });

  it("skips lines that come while another one is reported, and then reports the newest", async () => {
    const reported: string[] = [];
    let finish = () => {};
    const status = new BuildStatus((text) => {
      reported.push(text);
      return new Promise((resolve) => {
        finish = resolve;
      });
    });
    for (const line of ["one\n", "two\n", "three\n"]) status.read(line);
    expect(reported).toEqual(["one"]);
    finish();
    await new Promise(setImmediate);
    expect(reported).toEqual(["one", "three"]);
  });
});
