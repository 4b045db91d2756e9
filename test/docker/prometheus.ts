/** One answer of Prometheus: what is measured by which labels. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** A Prometheus as whoever watches it sees it. */
export interface Prometheus {
  query(expression: string): Promise<Sample[]>;
  /** Names of alerts that fire, each once. */
  firing(): Promise<string[]>;
}

/** @param url where it answers, without a path */
export function prometheusAt(url: string): Prometheus {
  const query = async (expression: string): Promise<Sample[]> => {
    const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
    const answer = (await response.json()) as {
      error?: string;
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (!response.ok) throw new Error(`Prometheus refuses "${expression}": ${answer.error}`);
    return answer.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  return {
    query,
    firing: async () => {
      const alerts = await query('ALERTS{alertstate="firing"}');
      return [...new Set(alerts.map(({ labels }) => String(labels.alertname)))].sort();
    },
  };
}
