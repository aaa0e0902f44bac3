/** The one real node of the cluster. */
export const NODE_NAME = "real0";

/** What the configuration of a node depends on. */
export interface NodeLayout {
  readonly dir: string;
  readonly cgroup: string;
  readonly ip: string;
  readonly pauseRef: string;
  readonly cniBin: string;
}

/** The configuration files of a node: name → content. JSON where the program takes YAML. */
export function nodeFiles(layout: NodeLayout): Readonly<Record<string, string>> {
  return {
    "containerd.toml": containerd(layout),
    "cni/10-bridge.conflist": json(cni(layout)),
    "kubelet.json": json(kubelet(layout)),
    "kube-proxy.json": json(kubeProxy(layout)),
    Corefile: corefile(layout),
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function containerd({ dir, pauseRef, cniBin }: NodeLayout): string {
  return `version = 2
root = "${dir}/containerd-root"
state = "${dir}/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "${dir}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseRef}"
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniBin}"
    conf_dir = "${dir}/cni"
`;
}

function cni({ dir }: NodeLayout): object {
  return {
    cniVersion: "0.4.0",
    name: "testbed",
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: `${dir}/ipam`,
          ranges: [[{ subnet: "10.244.0.0/24" }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

function kubelet({ dir, cgroup, ip }: NodeLayout): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: ip,
    port: 10250,
    readOnlyPort: 0,
    healthzBindAddress: "127.0.0.1",
    // From 1.35 on kubelet refuses cgroup v1 unless told otherwise.
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${dir}/containerd.sock`,
    podLogsDir: `${dir}/pod-logs`,
    volumePluginDir: `${dir}/flex`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${dir}/cp/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${dir}/cp/node-${NODE_NAME}.crt`,
    tlsPrivateKeyFile: `${dir}/cp/node-${NODE_NAME}.key`,
    clusterDomain: "cluster.local",
    clusterDNS: [ip],
    // Low marks: the disk is the machine's own, and nothing here may start evicting because it is rather full.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: "5s",
    syncFrequency: "10s",
    fileCheckFrequency: "0s",
    serializeImagePulls: false,
    enableControllerAttachDetach: false,
  };
}

function kubeProxy({ dir, ip }: NodeLayout): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    clusterCIDR: "10.244.0.0/16",
    nodeIPOverride: [ip],
    clientConnection: { kubeconfig: `${dir}/cp/kube-proxy.kubeconfig` },
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    // Zero leaves the machine's own settings alone.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    iptables: { minSyncPeriod: "100ms" },
  };
}

function corefile({ dir }: NodeLayout): string {
  return `cluster.local:53 {
  errors
  cache 5
  kubernetes cluster.local {
    kubeconfig ${dir}/cp/admin.kubeconfig
    pods verified
  }
}
`;
}
