import { describe, expect, it } from "vitest";
import { drillSchedule, dumpSchedule, jobSchedule } from "../../../../../scripts/cli/commands/setup.ts";

describe("the schedule of drills that setup prints", () => {
  it("names the project directory, Node and the stack, quoted for cron and systemd", () => {
    const [, cron, systemd] = drillSchedule("/srv/it's 100%", "production");
    const command = `'${process.execPath}' scripts/pgw.mjs backup drill --due --stack production`;
    expect(cron).toBe(`  crontab -e:  17 * * * * cd '/srv/it'\\''s 100\\%' && ${command}`);
    expect(systemd).toBe(
      `  systemd:     systemd-run --user --unit pgw-drill-production --on-calendar '*:17' --working-directory '/srv/it'\\''s 100%' ${command}`,
    );
  });
});

describe("the schedule of dumps that setup prints", () => {
  it("has the variables that govern dumps, so that the dumps are where `up` looks for them", () => {
    const [, cron, systemd] = dumpSchedule("/srv/shop", "local", { BACKUP_DIR: "/mnt/my dumps", BACKUP_COMPRESS: "" });
    const command = `'${process.execPath}' scripts/pgw.mjs backup dump --due --stack local`;
    expect(cron).toBe(`  crontab -e:  7 * * * * cd '/srv/shop' && BACKUP_DIR='/mnt/my dumps' ${command}`);
    expect(systemd).toBe(
      `  systemd:     systemd-run --user --unit pgw-dump-local --on-calendar '*:07' --setenv=BACKUP_DIR='/mnt/my dumps' --working-directory '/srv/shop' ${command}`,
    );
  });
});

describe("the schedule of jobs that setup prints", () => {
  it("starts the command every five minutes, for what is due then", () => {
    const [, cron, systemd] = jobSchedule("/srv/shop", "local");
    const command = `'${process.execPath}' scripts/pgw.mjs jobs run --due --stack local`;
    expect(cron).toBe(`  crontab -e:  */5 * * * * cd '/srv/shop' && ${command}`);
    expect(systemd).toBe(
      `  systemd:     systemd-run --user --unit pgw-jobs-local --on-calendar '*:0/5' --working-directory '/srv/shop' ${command}`,
    );
  });
});
