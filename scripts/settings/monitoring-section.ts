import { z } from "zod";
import type { Alerts } from "../model/alerts.ts";
import { type HealthLimitName, healthLimitNames, healthVariables } from "../model/health-settings.ts";
import { parseAlerts } from "./alerts-section.ts";
import { parseNumbers, type Ranges } from "./numbers.ts";
import { type ReportFault, reportTo } from "./report-fault.ts";
import { fromJson } from "./setting.ts";
import { suggestion } from "./suggestion.ts";

/** Texts of the health server's settings, by name. */
export type HealthLimits = Readonly<Partial<Record<HealthLimitName, string>>>;

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
  /** True if the health server runs in a container next to the server. */
  health: boolean;
  /** Port of the health server on 127.0.0.1 of the engine's machine. If absent, a free port is chosen once. */
  healthPort?: number;
  /** Settings of the health server that differ from its defaults, as it reads them from its environment. */
  healthLimits?: HealthLimits;
  /** True if Grafana runs next to Prometheus. */
  grafana: boolean;
  /** Port of Grafana on 127.0.0.1 of the engine's machine. If absent, a free port is chosen once. */
  grafanaPort?: number;
  /** Grafana's image. */
  grafanaImage: string;
  /** Receivers of alerts. If absent, alerts are shown by Prometheus and sent nowhere. */
  alerts?: Alerts;
}

export const defaultMonitoring: Readonly<MonitoringPlan> = {
  retentionDays: 15,
  health: true,
  grafana: false,
  grafanaImage: "grafana/grafana:12.1.0",
};

/** Ports of the section, and what listens on each. */
const ports = {
  prometheusPort: "Prometheus",
  exporterPort: "the exporter",
  healthPort: "the health server",
  grafanaPort: "Grafana",
} as const;

const port = { max: 65_535, unit: "a port" };

const ranges: Ranges<keyof typeof ports | "retentionDays"> = {
  prometheusPort: port,
  exporterPort: port,
  retentionDays: { max: 3_650, unit: "a whole number of days" },
  healthPort: port,
  grafanaPort: port,
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
      const numbers = parseNumbers(given, ranges, report, [
        "alerts",
        "health",
        "healthLimits",
        "grafana",
        "grafanaImage",
      ]);
      const plan: MonitoringPlan = { ...defaultMonitoring, ...numbers };
      for (const name of ["health", "grafana"] as const) {
        const value = given[name] ?? defaultMonitoring[name];
        if (typeof value === "boolean") plan[name] = value;
        else report([name], `expected true or false, got '${String(value)}'`);
      }
      const { grafanaImage = defaultMonitoring.grafanaImage } = given;
      if (typeof grafanaImage === "string" && grafanaImage !== "") plan.grafanaImage = grafanaImage;
      else report(["grafanaImage"], `expected the name of an image, got '${String(grafanaImage)}'`);
      if ("healthLimits" in given) plan.healthLimits = parseHealthLimits(given.healthLimits, report);
      if ("alerts" in given) {
        const parsed = parseAlerts(given.alerts);
        if ("alerts" in parsed) plan.alerts = parsed.alerts;
        else for (const { path, message } of parsed.faults) report([["alerts", ...path].join(".")], message);
      }
      const taken = new Map<number, string>();
      for (const [name, listener] of Object.entries(ports) as [keyof typeof ports, string][]) {
        const number = plan[name];
        if (number === undefined) continue;
        const other = taken.get(number);
        if (other === undefined) taken.set(number, listener);
        else report([name], `${number} is already the port of ${other}`);
      }
      return plan;
    }),
  );
}

/** Parses `healthLimits`. Two limits are a text (`70,90`) or a list (`[70, 90]`). */
function parseHealthLimits(written: unknown, report: ReportFault): HealthLimits {
  const limits: Partial<Record<HealthLimitName, string>> = {};
  if (typeof written !== "object" || written === null || Array.isArray(written)) {
    report(["healthLimits"], `expected an object, got '${String(written)}'`);
    return limits;
  }
  const isName = (name: string): name is HealthLimitName => Object.hasOwn(healthVariables, name);
  for (const [name, value] of Object.entries(written)) {
    const path = [`healthLimits.${name}`];
    if (!isName(name)) {
      report(path, `is not a setting${suggestion(name, [...healthLimitNames])}`);
      continue;
    }
    const text = String(value);
    const { parse, expected } = healthVariables[name];
    if (parse(text) === undefined) report(path, `expected ${expected}, got '${text}'`);
    else limits[name] = text;
  }
  return limits;
}
