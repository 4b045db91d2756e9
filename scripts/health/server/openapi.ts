import { z } from "zod";
import * as answers from "./answers.ts";

/** An endpoint that answers JSON. */
interface Endpoint {
  path: string;
  summary: string;
  answer: z.ZodType;
  /** Statuses besides 200 with the same answer. */
  also?: number[];
  parameters?: { name: string; values: string[]; description: string }[];
}

const metricParameters = [
  { name: "detailed", values: ["true", "false"], description: "Adds the whole snapshot and the trend." },
  { name: "format", values: ["json", "prometheus"], description: "Format of the answer." },
];

export const dashboardPath = "/api/admin/dashboard-stats";

/** All endpoints that answer JSON. */
export const endpoints: readonly Endpoint[] = [
  { path: "/health", summary: "Says that the health server lives. Never asks the database.", answer: answers.process },
  {
    path: "/api/health/database",
    summary: "Says whether the database serves: 200, or 503. Do not restart the database because of it.",
    answer: answers.database,
    also: [503],
    parameters: [{ name: "role", values: ["primary", "replica"], description: "503 if the server has another role." }],
  },
  { path: "/api/health/database/metrics", summary: "Metrics.", answer: answers.metrics, parameters: metricParameters },
  { path: "/v1/database/metrics", summary: "The same metrics.", answer: answers.metrics, parameters: metricParameters },
  { path: "/api/admin/database-health", summary: "Summary for an admin page.", answer: answers.adminHealth },
  { path: "/api/admin/database-activity", summary: "Sessions and blockers.", answer: answers.adminActivity },
  {
    path: "/api/admin/performance-metrics",
    summary: "Statements, without their texts.",
    answer: answers.adminPerformance,
  },
  {
    path: dashboardPath,
    summary: "Numbers of the application's dashboard: 200, or 501 with the reason why there are none.",
    answer: answers.dashboard,
    also: [501, 503],
  },
];

/** Describes the endpoints as OpenAPI 3.1. */
export function openApi(version: string): object {
  const paths = endpoints.map(({ path, summary, answer, also = [], parameters = [] }) => {
    const { $schema: _, ...schema } = z.toJSONSchema(answer);
    const content = { "application/json": { schema } };
    const responses = [200, ...also].map((status) => [status, { description: summary, content }] as const);
    const query = parameters.map(({ name, values, description }) => ({
      ...{ name, in: "query", description, schema: { type: "string", enum: values } },
    }));
    return [path, { get: { summary, parameters: query, responses: Object.fromEntries(responses) } }] as const;
  });
  return {
    openapi: "3.1.0",
    info: { title: "pgroundwork health", version },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{}, { token: [] }],
    paths: Object.fromEntries(paths),
  };
}
