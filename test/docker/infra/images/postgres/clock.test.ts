import { expect, it } from "vitest";
import { leastPostgres } from "../../../least-postgres.ts";
import { logs, putFiles } from "../../../postgres-container.ts";

/**
 * Python loads this module first. It moves the clock of the process by the number of seconds in a file, and says what a
 * job runs.
 */
const clock = `
import datetime, time
real_time, real = time.time, datetime.datetime
def shift():
    with open("/tmp/clock/shift") as file:
        return int(file.read())
class Shifted(real):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + datetime.timedelta(seconds=shift())
time.time = lambda: real_time() + shift()
datetime.datetime = Shifted
`;

const day = 86_400;

const least = leastPostgres();

it("the scheduler of backups continues after the clock was set back by 40 days", async () => {
  const container = await least.create({
    changed: {
      Cmd: ["backup-scheduler", "run", "* * * * *", "0 0 29 2 *"],
      Env: ["PYTHONPATH=/tmp/clock", "PATH=/tmp/clock:/usr/local/bin:/usr/bin:/bin"],
    },
  });
  const secondOfMinute = Math.floor(Date.now() / 1_000) % 60;
  /** Sets the clock ahead, and to a few seconds before the next full minute. */
  const setClock = (days: number) =>
    putFiles(container, "/tmp", { "clock/shift": String(days * day + 50 - secondOfMinute) }, 0o644);
  const job = "#!/bin/sh\necho job $1\n";
  await putFiles(container, "/tmp", { "clock/sitecustomize.py": clock, "clock/backup-job": job }, 0o755);
  await setClock(40);
  await container.start();
  const runs = async () => (await logs(container)).split("\n").filter((line) => line === "job full").length;
  await expect.poll(runs, { timeout: 20_000, interval: 200 }).toBe(1);
  await setClock(0);
  await expect.poll(runs, { timeout: 90_000, interval: 200 }).toBe(2);
  expect(await logs(container)).toMatch(/the clock was set back by 40 days, .*: all jobs are scheduled again\n/);
});
