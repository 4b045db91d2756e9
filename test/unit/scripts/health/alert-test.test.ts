import { describe, expect, it } from "vitest";
import { reasonIn } from "../../../../scripts/health/alert-test.ts";
import { attemptsIn } from "../../../../scripts/health/alertmanager.ts";

describe("the attempts to send messages, in Alertmanager's metrics", () => {
  const metrics = `# HELP alertmanager_notifications_total The total number of attempted notifications.
alertmanager_notifications_total{integration="email",receiver_name="test"} 1
alertmanager_notification_requests_total{integration="email",receiver_name="test"} 5
alertmanager_notification_requests_failed_total{integration="email",receiver_name="test"} 3
alertmanager_notification_requests_total{integration="email",receiver_name="team"} 70
alertmanager_notifications_failed_total{integration="slack",reason="clientError",receiver_name="test"} 2
alertmanager_notifications_failed_total{integration="slack",reason="other",receiver_name="test"} 0
alertmanager_notification_latency_seconds_count{integration="slack",receiver_name="test"} 9
`;

  it("are counted for one receiver, by integration", () => {
    expect(Object.fromEntries(attemptsIn(metrics, "test"))).toEqual({
      email: { all: 5, failed: 3, refused: {} },
      slack: { all: 0, failed: 0, refused: { clientError: 2, other: 0 } },
    });
    expect(attemptsIn(metrics, "nobody").size).toBe(0);
  });
});

describe("the reason why a test alert was not accepted, in Alertmanager's log", () => {
  const line = (time: string, receiver: string, error: string) =>
    `time=2026-01-01T00:00:${time}.1Z level=WARN msg="Notify attempt failed" receiver=${receiver} err=${error}`;
  const log = [
    line("01", "test integration=webhook[0]", '"before the test"'),
    line("05", "team integration=email[0]", '"of another receiver"'),
    line("06", "test integration=email[0]", '"dial tcp: lookup \\"mail\\": no such host"'),
    line(
      "07",
      "",
      '"test/slack[0]: notify retry canceled due to unrecoverable error after 1 attempts: status code 404"',
    ),
  ].join("\n");
  const since = "2026-01-01T00:00:03";

  it("is the last error of its receiver since the test began", () => {
    expect(reasonIn(log, "email", since)).toBe('dial tcp: lookup "mail": no such host');
  });

  it("is also found in the line about an attempt that is not repeated", () => {
    expect(reasonIn(log, "slack", since)).toBe("status code 404");
  });

  it("is not known if the log has none", () => {
    expect(reasonIn(log, "webhook", since)).toBeUndefined();
    expect(reasonIn("", "email", since)).toBeUndefined();
  });
});
