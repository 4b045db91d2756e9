import type { Check, Problem } from "../check.ts";
import { settingFix } from "../fix.ts";

interface Row {
  name: string;
  setting: string;
  context: string;
  isPending: boolean;
}

/** Unsafe values, by setting. All can be changed without a restart. */
const unsafe: Readonly<Record<string, { value: string; safe: string; loss: string }>> = {
  fsync: { value: "off", safe: "on", loss: "A crash of the machine can damage the whole cluster beyond repair." },
  full_page_writes: {
    value: "off",
    safe: "on",
    loss: "A crash of the machine can leave torn pages that recovery cannot repair.",
  },
  zero_damaged_pages: {
    value: "on",
    safe: "off",
    loss: "The server silently empties damaged pages when it reads them.",
  },
  autovacuum: {
    ...{ value: "off", safe: "on" },
    loss: "Dead rows are never removed, statistics become outdated, and at last the server refuses all writes.",
  },
  track_counts: { value: "off", safe: "on", loss: "Autovacuum does not know where it is needed." },
  ignore_checksum_failure: { value: "on", safe: "off", loss: "The server returns rows of damaged pages." },
};

const query = `
  select name, setting, context, pending_restart as "isPending" from pg_settings
   where pending_restart or name = any ($1)
   order by 1`;

export const unsafeSetting: Check = {
  name: "unsafe-setting",
  title: "A setting is unsafe, or waits for a restart",
  scope: "server",
  async find(observer) {
    const rows = await observer.query<Row>(query, [Object.keys(unsafe)]);
    const problems = rows.flatMap(({ name, setting, isPending }): Problem[] => {
      const bad = unsafe[name];
      if (bad?.value === setting)
        return [
          {
            object: name,
            level: "error",
            detail: `${name} is ${setting}. ${bad.loss}`,
            fix: settingFix(name, bad.safe, setting),
          },
        ];
      if (!isPending) return [];
      const detail = `${name} was changed, but the server still uses the old value ${setting} until it is restarted.`;
      return [{ object: name, level: "warning", detail, hint: "Restart the server, or change the setting back." }];
    });
    return { problems };
  },
};
