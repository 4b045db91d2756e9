import { z } from "zod";
import type { Alerts } from "../model/alerts.ts";
import { parseAlerts } from "./alerts-section.ts";
import { parseNumbers, type Ranges } from "./numbers.ts";
import { reportTo } from "./report-fault.ts";
import { fromJson } from "./setting.ts";

/** Settings of monitoring. */
export interface MonitoringPlan {
  /** Port on 127.0.0.1 of the engine's machine. If absent, a free port is chosen once. */
  prometheusPort?: number;
  /**
   * Port of the exporter, for a Prometheus elsewhere. If absent, the exporter is not reachable outside the stack's
   * network.
   */
  exporterPort?: number;
  retentionDays: number;
  /** Receivers of alerts. If absent, alerts are shown by Prometheus and sent nowhere. */
  alerts?: Alerts;
}

export const defaultMonitoring: Readonly<MonitoringPlan> = { retentionDays: 15 };

const ranges: Ranges<Exclude<keyof MonitoringPlan, "alerts">> = {
  prometheusPort: { max: 65_535, unit: "a port" },
  exporterPort: { max: 65_535, unit: "a port" },
  retentionDays: { max: 3_650, unit: "a whole number of days" },
};

/**
 * Parses the section `monitoring`: `true` for the defaults, or an object for deviations from them. The result is
 * undefined if monitoring is off.
 */
export function monitoringSection() {
  const written = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
  return fromJson(
    written.transform((section, context): MonitoringPlan | undefined => {
      if (section === false) return undefined;
      const given = section === true ? {} : section;
      const report = reportTo(context);
      const plan: MonitoringPlan = { ...defaultMonitoring, ...parseNumbers(given, ranges, report, ["alerts"]) };
      if ("alerts" in given) {
        const parsed = parseAlerts(given.alerts);
        if ("alerts" in parsed) plan.alerts = parsed.alerts;
        else for (const { path, message } of parsed.faults) report([["alerts", ...path].join(".")], message);
      }
      const { prometheusPort, exporterPort } = plan;
      if (prometheusPort !== undefined && prometheusPort === exporterPort)
        report(["exporterPort"], `${exporterPort} is already Prometheus's port`);
      return plan;
    }),
  );
}
