import { describe, expect, it } from "vitest";
import { drillSchedule } from "../../../../../scripts/cli/commands/setup.ts";

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
