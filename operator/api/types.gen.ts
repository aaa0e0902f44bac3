// Generated from crds/kubearmorrelays.yaml by hack/generate/types.ts. Do not edit.
import type { ObjectMeta } from "../../lib/kube/types.ts";

/**
 * A relay that collects the telemetry of every KubeArmor agent and serves it at one address.
 */
export interface KubeArmorRelay {
  /**
   * The version of the API this object is written in.
   */
  apiVersion: string;
  /**
   * KubeArmorRelay.
   */
  kind: string;
  metadata: ObjectMeta;
  /**
   * What the relay should be. An empty object is a complete relay.
   */
  spec: {
    /**
     * Image of the relay. Empty, the default, is the relay of the operator's own version.
     */
    image?: string;
    /**
     * When the node pulls the image.
     */
    imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
    /**
     * Secrets of this namespace with the registry's credentials.
     *
     * Items: A Secret of this namespace.
     */
    imagePullSecrets?: {
      /**
       * Name of the Secret.
       */
      name: string;
    }[];
    /**
     * Relay pods. Every one of them connects to every agent and serves all events, so that clients may subscribe to any; of several, one prints at a time. 0 keeps everything but the pods. A change between one and several replaces the pods.
     */
    replicas?: number;
    /**
     * The operator observes and reports, but changes nothing while this is true.
     */
    suspend?: boolean;
    /**
     * Fills in the cluster's name of events whose own is empty or `default`. Empty, the default, leaves them as they are.
     */
    clusterName?: string;
    /**
     * Streams the relay prints on its standard output, one JSON line an event. A change takes effect in the running pod, without a restart.
     */
    stdout?: {
      /**
       * Print alerts, that is events that matched a policy.
       */
      alerts?: boolean;
      /**
       * Print logs, that is events of containers and hosts that matched no policy.
       */
      logs?: boolean;
      /**
       * Print what the agents say about themselves. They say it only in debug mode.
       */
      messages?: boolean;
    };
    /**
     * The Service that clients subscribe to.
     */
    service?: {
      /**
       * Name of the Service. Clients of KubeArmor look for `kubearmor`.
       */
      name?: string;
      /**
       * How the Service is reached.
       */
      type?: "ClusterIP" | "NodePort" | "LoadBalancer";
      /**
       * Port of the Service. The pods always listen on 32767, where karmor looks for them.
       */
      port?: number;
      /**
       * Port on every node, for the types NodePort and LoadBalancer. Chosen by the cluster when absent.
       */
      nodePort?: number;
      /**
       * Annotations of the Service, for instance for a load balancer.
       */
      annotations?: {
        [k: string]: string;
      };
    };
    /**
     * Who may reach the relay's pods, where the cluster's network enforces such policies.
     */
    networkPolicy?: {
      /**
       * Let only those in `from` subscribe. Metrics and probes stay reachable. Off, the default, makes no NetworkPolicy.
       */
      enabled?: boolean;
      /**
       * Pods that may subscribe. Empty, the default, is those of the relay's own namespace.
       *
       * Items: Pods with these labels in namespaces with these labels. Without labels of namespaces, those of the relay's own; without labels of pods, all.
       */
      from?: {
        /**
         * Labels of the namespaces, for instance `kubernetes.io/metadata.name`.
         */
        namespaceLabels?: {
          [k: string]: string;
        };
        /**
         * Labels of the pods.
         */
        podLabels?: {
          [k: string]: string;
        };
      }[];
    };
    /**
     * Which KubeArmor agents the relay collects from.
     */
    agents?: {
      /**
       * Namespaces to look for agent pods in. Empty, the default, is all of them.
       */
      namespaces?: string[];
      /**
       * Labels of agent pods.
       */
      selector?: {
        /**
         * Every one of these labels must be on the pod.
         */
        matchLabels?: {
          [k: string]: string;
        };
      };
      /**
       * Port on which the agents of pods serve gRPC. Absent, the default, is each pod's port named `grpc`, else 32767.
       */
      port?: number;
      /**
       * Agents outside the cluster, each as host:port, with an IPv6 address in brackets.
       */
      endpoints?: string[];
    };
    /**
     * What the relay adds to events.
     */
    enrichment?: {
      /**
       * Name the pod or Service at the other end of a connection, in logs of the network. The relay then watches the pods and Services of the cluster.
       */
      remoteHost?: boolean;
    };
    /**
     * What the relay may use.
     */
    limits?: {
      /**
       * Streams of events that are served at a time; more are refused.
       */
      maxSubscribers?: number;
      /**
       * What may wait for one subscriber that is slow.
       */
      mailboxBytes?: number | string;
      /**
       * What may wait for all subscribers and stdout together.
       */
      bufferBytes?: number | string;
    };
    /**
     * How much the relay says about itself on stderr.
     */
    logLevel?: "error" | "warn" | "info" | "debug";
    /**
     * Compute resources of the relay's container. Given, it replaces the default as a whole.
     */
    resources?: {
      /**
       * What the scheduler reserves.
       */
      requests?: {
        [k: string]: number | string;
      };
      /**
       * What the node allows.
       */
      limits?: {
        [k: string]: number | string;
      };
    };
    /**
     * Labels of nodes the pods may run on.
     */
    nodeSelector?: {
      [k: string]: string;
    };
    /**
     * Taints of nodes that the pods accept.
     *
     * Items: A taint, or a group of taints, that is accepted.
     */
    tolerations?: {
      /**
       * Key of the taint. Empty means all keys and needs operator Exists.
       */
      key?: string;
      /**
       * How the value is compared.
       */
      operator?: "Equal" | "Exists";
      /**
       * Value of the taint, for operator Equal.
       */
      value?: string;
      /**
       * Effect of the taint. Empty means all effects.
       */
      effect?: "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute";
      /**
       * How long a pod stays on a node with this taint of effect NoExecute. Absent means for ever.
       */
      tolerationSeconds?: number;
    }[];
    /**
     * Priority class of the pods. Empty is the cluster's default.
     */
    priorityClassName?: string;
    /**
     * More labels for the pods.
     */
    podLabels?: {
      [k: string]: string;
    };
    /**
     * Annotations of the pods.
     */
    podAnnotations?: {
      [k: string]: string;
    };
  };
  /**
   * What the operator sees.
   */
  status?: {
    /**
     * The generation of the spec that this status is about; -1 before the operator has seen the object.
     */
    observedGeneration?: number;
    /**
     * Ready sums up Accepted, Applied, Available, Progressing and Degraded; Reconciling, Stalled and Contended are there only while they are true.
     *
     * Items: One aspect of the state.
     */
    conditions?: {
      /**
       * The aspect.
       */
      type: string;
      /**
       * Whether it holds.
       */
      status: "True" | "False" | "Unknown";
      /**
       * The generation of the spec that this condition is about.
       */
      observedGeneration?: number;
      /**
       * When status last changed.
       */
      lastTransitionTime: string;
      /**
       * Why, as one word of a documented list.
       */
      reason: string;
      /**
       * Why, for people.
       */
      message: string;
    }[];
    /**
     * Relay pods there are.
     */
    replicas?: number;
    /**
     * Relay pods that are ready.
     */
    readyReplicas?: number;
    /**
     * Label selector of the relay pods.
     */
    selector?: string;
    /**
     * Where clients in the cluster subscribe, as host:port.
     */
    endpoint?: string;
    /**
     * Image that the relay pods are to run.
     */
    image?: string;
    /**
     * Streams that the relay is told to print, or `none`.
     */
    stdout?: string;
  };
}

/**
 * A relay that collects the telemetry of every KubeArmor agent and serves it at one address.
 */
export interface DefaultedKubeArmorRelay {
  /**
   * The version of the API this object is written in.
   */
  apiVersion: string;
  /**
   * KubeArmorRelay.
   */
  kind: string;
  metadata: ObjectMeta;
  /**
   * What the relay should be. An empty object is a complete relay.
   */
  spec: {
    /**
     * Image of the relay. Empty, the default, is the relay of the operator's own version.
     */
    image: string;
    /**
     * When the node pulls the image.
     */
    imagePullPolicy: "Always" | "IfNotPresent" | "Never";
    /**
     * Secrets of this namespace with the registry's credentials.
     *
     * Items: A Secret of this namespace.
     */
    imagePullSecrets: {
      /**
       * Name of the Secret.
       */
      name: string;
    }[];
    /**
     * Relay pods. Every one of them connects to every agent and serves all events, so that clients may subscribe to any; of several, one prints at a time. 0 keeps everything but the pods. A change between one and several replaces the pods.
     */
    replicas: number;
    /**
     * The operator observes and reports, but changes nothing while this is true.
     */
    suspend: boolean;
    /**
     * Fills in the cluster's name of events whose own is empty or `default`. Empty, the default, leaves them as they are.
     */
    clusterName: string;
    /**
     * Streams the relay prints on its standard output, one JSON line an event. A change takes effect in the running pod, without a restart.
     */
    stdout: {
      /**
       * Print alerts, that is events that matched a policy.
       */
      alerts: boolean;
      /**
       * Print logs, that is events of containers and hosts that matched no policy.
       */
      logs: boolean;
      /**
       * Print what the agents say about themselves. They say it only in debug mode.
       */
      messages: boolean;
    };
    /**
     * The Service that clients subscribe to.
     */
    service: {
      /**
       * Name of the Service. Clients of KubeArmor look for `kubearmor`.
       */
      name: string;
      /**
       * How the Service is reached.
       */
      type: "ClusterIP" | "NodePort" | "LoadBalancer";
      /**
       * Port of the Service. The pods always listen on 32767, where karmor looks for them.
       */
      port: number;
      /**
       * Port on every node, for the types NodePort and LoadBalancer. Chosen by the cluster when absent.
       */
      nodePort?: number;
      /**
       * Annotations of the Service, for instance for a load balancer.
       */
      annotations: {
        [k: string]: string;
      };
    };
    /**
     * Who may reach the relay's pods, where the cluster's network enforces such policies.
     */
    networkPolicy: {
      /**
       * Let only those in `from` subscribe. Metrics and probes stay reachable. Off, the default, makes no NetworkPolicy.
       */
      enabled: boolean;
      /**
       * Pods that may subscribe. Empty, the default, is those of the relay's own namespace.
       *
       * Items: Pods with these labels in namespaces with these labels. Without labels of namespaces, those of the relay's own; without labels of pods, all.
       */
      from: {
        /**
         * Labels of the namespaces, for instance `kubernetes.io/metadata.name`.
         */
        namespaceLabels?: {
          [k: string]: string;
        };
        /**
         * Labels of the pods.
         */
        podLabels?: {
          [k: string]: string;
        };
      }[];
    };
    /**
     * Which KubeArmor agents the relay collects from.
     */
    agents: {
      /**
       * Namespaces to look for agent pods in. Empty, the default, is all of them.
       */
      namespaces: string[];
      /**
       * Labels of agent pods.
       */
      selector: {
        /**
         * Every one of these labels must be on the pod.
         */
        matchLabels: {
          [k: string]: string;
        };
      };
      /**
       * Port on which the agents of pods serve gRPC. Absent, the default, is each pod's port named `grpc`, else 32767.
       */
      port?: number;
      /**
       * Agents outside the cluster, each as host:port, with an IPv6 address in brackets.
       */
      endpoints: string[];
    };
    /**
     * What the relay adds to events.
     */
    enrichment: {
      /**
       * Name the pod or Service at the other end of a connection, in logs of the network. The relay then watches the pods and Services of the cluster.
       */
      remoteHost: boolean;
    };
    /**
     * What the relay may use.
     */
    limits: {
      /**
       * Streams of events that are served at a time; more are refused.
       */
      maxSubscribers: number;
      /**
       * What may wait for one subscriber that is slow.
       */
      mailboxBytes: number | string;
      /**
       * What may wait for all subscribers and stdout together.
       */
      bufferBytes: number | string;
    };
    /**
     * How much the relay says about itself on stderr.
     */
    logLevel: "error" | "warn" | "info" | "debug";
    /**
     * Compute resources of the relay's container. Given, it replaces the default as a whole.
     */
    resources: {
      /**
       * What the scheduler reserves.
       */
      requests: {
        [k: string]: number | string;
      };
      /**
       * What the node allows.
       */
      limits: {
        [k: string]: number | string;
      };
    };
    /**
     * Labels of nodes the pods may run on.
     */
    nodeSelector: {
      [k: string]: string;
    };
    /**
     * Taints of nodes that the pods accept.
     *
     * Items: A taint, or a group of taints, that is accepted.
     */
    tolerations: {
      /**
       * Key of the taint. Empty means all keys and needs operator Exists.
       */
      key?: string;
      /**
       * How the value is compared.
       */
      operator?: "Equal" | "Exists";
      /**
       * Value of the taint, for operator Equal.
       */
      value?: string;
      /**
       * Effect of the taint. Empty means all effects.
       */
      effect?: "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute";
      /**
       * How long a pod stays on a node with this taint of effect NoExecute. Absent means for ever.
       */
      tolerationSeconds?: number;
    }[];
    /**
     * Priority class of the pods. Empty is the cluster's default.
     */
    priorityClassName: string;
    /**
     * More labels for the pods.
     */
    podLabels: {
      [k: string]: string;
    };
    /**
     * Annotations of the pods.
     */
    podAnnotations: {
      [k: string]: string;
    };
  };
  /**
   * What the operator sees.
   */
  status: {
    /**
     * The generation of the spec that this status is about; -1 before the operator has seen the object.
     */
    observedGeneration?: number;
    /**
     * Ready sums up Accepted, Applied, Available, Progressing and Degraded; Reconciling, Stalled and Contended are there only while they are true.
     *
     * Items: One aspect of the state.
     */
    conditions?: {
      /**
       * The aspect.
       */
      type: string;
      /**
       * Whether it holds.
       */
      status: "True" | "False" | "Unknown";
      /**
       * The generation of the spec that this condition is about.
       */
      observedGeneration?: number;
      /**
       * When status last changed.
       */
      lastTransitionTime: string;
      /**
       * Why, as one word of a documented list.
       */
      reason: string;
      /**
       * Why, for people.
       */
      message: string;
    }[];
    /**
     * Relay pods there are.
     */
    replicas?: number;
    /**
     * Relay pods that are ready.
     */
    readyReplicas?: number;
    /**
     * Label selector of the relay pods.
     */
    selector?: string;
    /**
     * Where clients in the cluster subscribe, as host:port.
     */
    endpoint?: string;
    /**
     * Image that the relay pods are to run.
     */
    image?: string;
    /**
     * Streams that the relay is told to print, or `none`.
     */
    stdout?: string;
  };
}
