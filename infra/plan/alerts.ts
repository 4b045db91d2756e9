import {
  type AlertChannel,
  type AlertEmail,
  type Alerts,
  alertChannels,
  alertmanagerPort,
  alertReceivers,
  heartbeatAlert,
  testAlert,
} from "../../scripts/model/alerts.ts";
import { monitoringPaths } from "./monitoring.ts";

/** Plans Alertmanager, which sends the alerts of Prometheus to people. Paths match infra/images/monitoring. */

/** Mount path of Alertmanager's volume: what was sent to whom, and silences. */
export const alertmanagerData = "/var/lib/alertmanager";

/** Files in Alertmanager's volume. Secrets have a file each, so that its configuration has none. */
export const alertmanagerFiles = {
  configuration: "alertmanager.yml",
  templates: "templates/alerts.tmpl",
  links: "templates/links.tmpl",
  emailPassword: "secrets/email-password",
  webhookUrl: "secrets/webhook-url",
  webhookToken: "secrets/webhook-token",
  slackUrl: "secrets/slack-url",
  heartbeatUrl: "secrets/heartbeat-url",
} as const;

/** Command of Alertmanager, alone: it looks for no other instances, and counts its messages by receiver. */
export const alertmanagerCommand: readonly string[] = [
  "prometheus-alertmanager",
  `--config.file=${monitoringPaths.configuration}/${alertmanagerFiles.configuration}`,
  `--storage.path=${alertmanagerData}`,
  `--web.listen-address=:${alertmanagerPort}`,
  "--cluster.listen-address=",
  "--enable-feature=receiver-name-in-metrics",
];

/**
 * Intervals of messages, in Alertmanager's notation. Alerts that begin together are one message. An alert that goes on
 * is repeated, since a message can be overlooked.
 */
const intervals = { group_wait: "30s", group_interval: "5m", repeat_interval: "12h" } as const;

/**
 * Returns the files of Alertmanager's volume.
 *
 * @param templates the text of infra/monitoring/alerts.tmpl
 */
export function alertmanagerVolume(alerts: Alerts, templates: string): Record<string, string> {
  const { email, webhook, slack, heartbeat, links } = alerts;
  const secrets = {
    [alertmanagerFiles.emailPassword]: email?.password,
    [alertmanagerFiles.webhookUrl]: webhook?.url,
    [alertmanagerFiles.webhookToken]: webhook?.token,
    [alertmanagerFiles.slackUrl]: slack?.url,
    [alertmanagerFiles.heartbeatUrl]: heartbeat?.url,
  };
  const given = Object.entries(secrets).flatMap(([file, text]) => (text === undefined ? [] : [[file, text] as const]));
  return {
    [alertmanagerFiles.configuration]: alertmanagerConfiguration(alerts),
    [alertmanagerFiles.templates]: templates,
    [alertmanagerFiles.links]: `{{ define "pgroundwork.links" }}${links}{{ end }}\n`,
    ...Object.fromEntries(given),
  };
}

/**
 * Returns the text of alertmanager.yml, as JSON, which is YAML, too. No alert inhibits another one: if an alert ends
 * while it is inhibited, Alertmanager never reports its end.
 */
export function alertmanagerConfiguration(alerts: Alerts): string {
  const { heartbeat } = alerts;
  const { team, test } = alertReceivers;
  const configuration = {
    templates: [`${monitoringPaths.configuration}/templates/*.tmpl`],
    route: {
      receiver: team,
      group_by: ["alertname"],
      ...intervals,
      routes: [
        // Every test is a group of its own, so that none counts as a repetition.
        { ...onAlert(testAlert), receiver: test, group_by: ["..."], group_wait: "0s" },
        ...(heartbeat === undefined ? [] : [heartbeatRoute(heartbeat.minutes)]),
      ],
    },
    receivers: [
      receiver(team, alerts, true),
      receiver(test, alerts, false),
      ...(heartbeat === undefined ? [] : [heartbeatReceiver]),
    ],
  };
  return `# Written by pgroundwork.\n${JSON.stringify(configuration, null, 2)}\n`;
}

function onAlert(name: string) {
  return { matchers: [`alertname=${JSON.stringify(name)}`] };
}

/** Step in seconds at which Alertmanager looks whether a heartbeat is due. */
const heartbeatStep = 30;

function heartbeatRoute(minutes: number) {
  return {
    ...onAlert(heartbeatAlert),
    receiver: alertReceivers.heartbeat,
    group_wait: "0s",
    group_interval: `${heartbeatStep}s`,
    // A repetition that is due at a step is sent at the next one.
    repeat_interval: `${minutes * 60 - heartbeatStep}s`,
  };
}

const heartbeatReceiver = {
  name: alertReceivers.heartbeat,
  webhook_configs: [{ url_file: fileOf(alertmanagerFiles.heartbeatUrl), send_resolved: false }],
};

/** @param reportsEnd true to send a message when an alert ends */
function receiver(name: string, alerts: Alerts, reportsEnd: boolean) {
  const configurations = alertChannels.map((channel) => [`${channel}_configs`, channels[channel](alerts)] as const);
  const given = configurations.flatMap(([key, value]) =>
    value === undefined ? [] : [[key, [{ ...value, send_resolved: reportsEnd }]]],
  );
  return { name, ...Object.fromEntries(given) };
}

const channels: Readonly<Record<AlertChannel, (alerts: Alerts) => object | undefined>> = {
  email: ({ email }) => email && emailConfiguration(email),
  webhook: ({ webhook }) =>
    webhook && {
      url_file: fileOf(alertmanagerFiles.webhookUrl),
      ...(webhook.token === undefined
        ? {}
        : { http_config: { authorization: { credentials_file: fileOf(alertmanagerFiles.webhookToken) } } }),
    },
  slack: ({ slack }) =>
    slack && {
      api_url_file: fileOf(alertmanagerFiles.slackUrl),
      ...(slack.channel === undefined ? {} : { channel: slack.channel }),
      title: '{{ template "pgroundwork.title" . }}',
      title_link: "",
      text: '{{ template "pgroundwork.text" . }}',
      fallback: '{{ template "pgroundwork.title" . }}',
      color: '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}',
    },
};

function emailConfiguration({ to, from, host, port, user, password, tls }: AlertEmail): object {
  return {
    to: to.join(", "),
    from,
    smarthost: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    require_tls: tls && port !== 465,
    ...(user === undefined ? {} : { auth_username: user }),
    ...(password === undefined ? {} : { auth_password_file: fileOf(alertmanagerFiles.emailPassword) }),
    headers: {
      Subject: '{{ template "pgroundwork.title" . }}',
      // A repeated attempt has the same ids.
      "X-Alert-Ids": '{{ template "pgroundwork.ids" . }}',
    },
    html: "",
    text: '{{ template "pgroundwork.text" . }}',
  };
}

function fileOf(name: string): string {
  return `${monitoringPaths.configuration}/${name}`;
}

/**
 * Returns the text of a rules file with the alert that always fires. Without a heartbeat, it has no rule.
 */
export function heartbeatRules({ heartbeat }: Alerts): string {
  if (heartbeat === undefined) return "# Written by pgroundwork.\ngroups: []\n";
  return `# Written by pgroundwork.
groups:
  - name: heartbeat
    rules:
      - alert: ${heartbeatAlert}
        expr: vector(1)
        labels:
          severity: none
        annotations:
          summary: Measuring and alerting work
`;
}
