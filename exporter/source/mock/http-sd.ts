/** The nodes of a simulated fleet as a Prometheus HTTP service discovery document. */

export interface NodeTarget {
  readonly name: string;
  readonly modelName: string;
  /** `host:port`, as Prometheus is to connect to it. */
  readonly address: string;
  /** `/metrics`, or the path that belongs to this node. */
  readonly metricsPath: string;
}

/** One entry of the document. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * One group per node. `instance` is set, as nodes that share an address would otherwise share their `up` series; what else
 * is known of a node can be picked up by relabelling.
 */
export function httpSdDocument(nodes: readonly NodeTarget[]): readonly TargetGroup[] {
  return nodes.map(({ name, modelName, address, metricsPath }) => ({
    targets: [address],
    labels: {
      instance: name,
      __metrics_path__: metricsPath,
      __meta_gpu_node: name,
      __meta_gpu_model: modelName,
    },
  }));
}
