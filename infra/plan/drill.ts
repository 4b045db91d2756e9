import type { BackupObjectives } from "../../scripts/model/drill-plan.ts";
import { writableFolders } from "./container.ts";

/** Paths in the drill container. They match infra/images/postgres. */
export const drillPaths = {
  /** Mount path of the volume with plan and key. */
  configuration: "/etc/pgroundwork-drill",
  /** Mount path of the volume with the evidence. */
  evidence: "/var/lib/pgroundwork/evidence",
} as const;

/** Files in the configuration volume of the drill container. */
export const drillFiles = { plan: "plan.json", key: "drill.key" } as const;

/** Folders in memory of the drill container. The server of the copy has its socket in one of them. */
export const writableDrillFolders: Readonly<Record<string, string>> = {
  ...writableFolders,
  "/var/run/postgresql": "rw,noexec,nosuid,nodev,uid=999,gid=999,mode=0755,size=1m",
};

/** A query that must return no row. Messages have its file and title. */
export interface DrillCheck {
  file: string;
  title: string;
  query: string;
}

/** Queries that must return no row, by database. */
export type DrillChecks = Readonly<Record<string, readonly DrillCheck[]>>;

/** Returns the check of a file. `start` and `end` are the offsets of its query in `text`. */
export function drillCheck(read: {
  file: string;
  title: string;
  text: string;
  start: number;
  end: number;
}): DrillCheck {
  const { file, title, text, start, end } = read;
  return { file, title, query: text.slice(start, end) };
}

/** Content of the plan that the drill container reads. */
export interface DrillPlanFile {
  project: string;
  stack: string;
  /** Name of the volume with the repository. */
  repository: string;
  objectives: BackupObjectives;
  checks: DrillChecks;
}

/** Returns the text of the plan that the drill container reads. */
export function drillPlanText(plan: DrillPlanFile): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}
