/** Receivers of alerts. Passwords, tokens and URLs are secrets: who has a URL can often post to it. */
export interface Alerts {
  email?: AlertEmail | undefined;
  /** Receives Alertmanager's JSON, version 4. */
  webhook?: { url: string; token?: string | undefined } | undefined;
  /** An incoming webhook of Slack, or of a service with the same interface. */
  slack?: { url: string; channel?: string | undefined } | undefined;
  /** Gets a request every few minutes while measuring and alerting work, and raises the alarm if none comes. */
  heartbeat?: { url: string; minutes: number } | undefined;
  /** Text before `infra/monitoring/runbook.md` in messages: the URL of the project directory at a code host, or "". */
  links: string;
}

/** A mail server and addresses. */
export interface AlertEmail {
  to: readonly string[];
  from: string;
  host: string;
  port: number;
  user?: string | undefined;
  password?: string | undefined;
  /** False to send without encryption, which is refused with a password. Port 465 always uses TLS. */
  tls: boolean;
}

/** Ways to send an alert to people, in the order in which they are reported. */
export const alertChannels = ["email", "webhook", "slack"] as const;
export type AlertChannel = (typeof alertChannels)[number];

/** The alert that always fires. If its messages stop, the monitoring itself has failed. */
export const heartbeatAlert = "PostgreSQLHeartbeat";

/** The alert that `pgw health test-alert` sends. */
export const testAlert = "PostgreSQLTestAlert";

/** Alertmanager's receivers. The test's are the team's, so that its results are counted separately. */
export const alertReceivers = { team: "team", heartbeat: "heartbeat", test: "test" } as const;

/** Port of Alertmanager in its container. */
export const alertmanagerPort = 9093;
