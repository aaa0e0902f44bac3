#!/bin/bash
# The first process of a node's own pid, mount and network namespaces: everything of the cluster is below it and ends
# with it. Started by node.ts, which has written the configuration files into DIR.
#   DIR         the node's directory          BIN     folder of the testbed's programs
#   CGROUP      name of its cgroups           IP      the node's address
#   NODE_NAME   its name in the cluster       IMAGES  OCI archives to load, separated by blanks
#   KWOK_ARGS   arguments of kwok             CRDS    arguments of kubebox that apply CRDs
#   KUBECACHEDIR  where kubectl keeps its cache
set -eu
started=$(date +%s%N)
say() { echo "+$((($(date +%s%N) - started) / 1000000)) ms: $*"; }
background() { local name=$1; shift; "$@" > "$DIR/logs/$name.log" 2>&1 < /dev/null & }
until_ok() { local tries=0; until "$@" > /dev/null 2>&1; do
  tries=$((tries + 1)); if [ $tries -gt 600 ]; then say "gave up: $*"; exit 1; fi; sleep 0.1; done; }

# Nothing that is mounted here shows on the host, and what Kubernetes and CNI write to fixed places goes with it.
mount --make-rprivate /
mount -t proc proc /proc
mount --make-rshared /
for place in /var/lib/cni /var/lib/kubelet /var/log /run/containerd /run/netns; do mkdir -p "$place"; mount -t tmpfs tmpfs "$place"; done

# A bridge stands for the network card (a dummy device needs a driver not every kernel has); the veth gives it carrier.
ip link set lo up
ip link add node0 type bridge
ip addr add "$IP/24" dev node0
ip link set node0 up
ip link add nodep type veth peer name nodeq
ip link set nodep master node0 up
ip link set nodeq up
# kubelet, kube-proxy and CNI want a default route; nothing is at its end.
ip route add default via 10.200.0.254 dev node0
# AnyIP: every 10.201.x.y is local, so 65,000 simulated agents have an address of their own without configuring any.
ip route add local 10.201.0.0/16 dev lo
sysctl -qw net.ipv4.ip_forward=1
# Without the br_netfilter module there is no such setting, and Services reach pods of their own node only from outside.
sysctl -qw net.bridge.bridge-nf-call-iptables=1 2> /dev/null || say "no br_netfilter"

# kubelet wants its root cgroup to exist, in every hierarchy.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  for controller in cpu cpuset io memory pids; do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true; done 2> /dev/null
  mkdir -p "/sys/fs/cgroup/$CGROUP"
else
  for hierarchy in /sys/fs/cgroup/*/; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    mkdir -p "$hierarchy/$CGROUP"
    # A cpuset without processors and memory nodes refuses every process.
    for file in cpuset.cpus cpuset.mems; do if [ -e "$hierarchy/$file" ]; then cat "$hierarchy/$file" > "$hierarchy/$CGROUP/$file"; fi; done
  done
fi

background containerd containerd --config "$DIR/containerd.toml"
# shellcheck disable=SC2086 # lists of arguments
background control-plane "$BIN/kubebox" up --dir="$DIR/cp" --ip="$IP" --nodes="$NODE_NAME" $CRDS
until_ok ctr --address "$DIR/containerd.sock" version
say containerd is up
load_images() { for image in $IMAGES; do ctr --address "$DIR/containerd.sock" --namespace k8s.io images import "$image"; done; }
load_images > "$DIR/logs/images.log" 2>&1 &
images=$!
until_ok test -e "$DIR/cp/ready"
say control plane is up
background kubelet "$BIN/kubelet" --config="$DIR/kubelet.json" --kubeconfig="$DIR/cp/node-$NODE_NAME.kubeconfig" \
  --root-dir="$DIR/kubelet" --node-ip="$IP" --hostname-override="$NODE_NAME" --v=1
background kube-proxy "$BIN/kube-proxy" --config="$DIR/kube-proxy.json" --hostname-override="$NODE_NAME"
background coredns "$BIN/coredns" -conf "$DIR/Corefile"
# shellcheck disable=SC2086
background kwok "$BIN/kwok" $KWOK_ARGS
export KUBECONFIG=$DIR/cp/admin.kubeconfig
until_ok "$BIN/kubebox" kubectl get node "$NODE_NAME"
"$BIN/kubebox" kubectl wait --for=condition=Ready "node/$NODE_NAME" --timeout=90s > /dev/null
say node is Ready
if ! wait $images; then say "cannot load images:"; cat "$DIR/logs/images.log"; exit 1; fi
say images are loaded
touch "$DIR/up"
# Reap what containers leave behind.
set +e
while :; do wait -n; sleep 1; done
