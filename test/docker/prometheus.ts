/** One sample of a Prometheus query result. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** Client of a Prometheus server. */
export interface Prometheus {
  query(expression: string): Promise<Sample[]>;
  /** Returns the names of firing alerts, without duplicates. */
  firing(): Promise<string[]>;
}

/**
 * Returns a client of the Prometheus server at a URL.
 *
 * @param url base URL without a path
 */
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
