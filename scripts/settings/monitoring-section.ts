import { z } from "zod";
import { fromJson } from "./setting.ts";
import { suggestion } from "./suggestion.ts";

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
}

export const defaultMonitoring: Readonly<MonitoringPlan> = { retentionDays: 15 };

const ranges: Readonly<Record<keyof MonitoringPlan, { max: number; unit: string }>> = {
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
      const fault = (name: string, message: string) => context.addIssue({ code: "custom", path: [name], message });
      const plan = { ...defaultMonitoring };
      for (const [name, value] of Object.entries(given)) {
        if (!isName(name)) fault(name, `is not a setting${suggestion(name, Object.keys(ranges))}`);
        else if (isWithin(value, ranges[name].max)) plan[name] = value;
        else fault(name, `expected ${ranges[name].unit} from 1 to ${ranges[name].max}, got '${String(value)}'`);
      }
      const { prometheusPort, exporterPort } = plan;
      if (prometheusPort !== undefined && prometheusPort === exporterPort)
        fault("exporterPort", `${exporterPort} is already Prometheus's port`);
      return plan;
    }),
  );
}

function isName(name: string): name is keyof MonitoringPlan {
  return Object.hasOwn(ranges, name);
}

function isWithin(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max;
}
