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
      /**
       * Whether the Service has addresses of one or of both IP families.
       */
      ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack";
      /**
       * IP families of the Service, the first one's for good. Empty, the default, is the cluster's choice.
       */
      ipFamilies?: ("IPv4" | "IPv6")[];
      /**
       * Which implementation makes the load balancer, for type LoadBalancer. Absent, the default, is the cluster's own.
       */
      loadBalancerClass?: string;
      /**
       * Addresses that the load balancer lets in, as CIDRs. Empty, the default, is all.
       */
      loadBalancerSourceRanges?: string[];
      /**
       * Whether traffic from outside the cluster goes to pods on any node, or on its own node only, where its source address is kept. Absent is the cluster's default.
       */
      externalTrafficPolicy?: "Cluster" | "Local";
      /**
       * Whether traffic from inside the cluster goes to pods on any node or on its own node only. Absent is the cluster's default.
       */
      internalTrafficPolicy?: "Cluster" | "Local";
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
     * How many pods a drain of nodes may take at a time. Made only for more than one replica.
     */
    podDisruptionBudget?: {
      /**
       * Make a PodDisruptionBudget.
       */
      enabled?: boolean;
      /**
       * Pods that may be down at a time because of drains, as a number or as a percentage of all.
       */
      maxUnavailable?: number | string;
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
     * More environment variables of the relay's container.
     *
     * Items: An environment variable.
     */
    env?: {
      /**
       * Name of the variable.
       */
      name: string;
      /**
       * Value of the variable, in which $(NAME) stands for another.
       */
      value?: string;
      /**
       * Where the value comes from.
       */
      valueFrom?: {
        /**
         * A key of a ConfigMap of this namespace.
         */
        configMapKeyRef?: {
          /**
           * Name of the object.
           */
          name: string;
          /**
           * Key in the object's data.
           */
          key: string;
          /**
           * Whether the pod starts without the object or its key.
           */
          optional?: boolean;
        };
        /**
         * A key of a Secret of this namespace.
         */
        secretKeyRef?: {
          /**
           * Name of the object.
           */
          name: string;
          /**
           * Key in the object's data.
           */
          key: string;
          /**
           * Whether the pod starts without the object or its key.
           */
          optional?: boolean;
        };
        /**
         * A field of the pod.
         */
        fieldRef?: {
          /**
           * Version of the API that the path is of, v1 when absent.
           */
          apiVersion: string;
          /**
           * Path of the field, for instance `spec.nodeName`.
           */
          fieldPath: string;
        };
        /**
         * A request or limit of a container.
         */
        resourceFieldRef?: {
          /**
           * Name of the container, this one when absent.
           */
          containerName?: string;
          /**
           * What of it, for instance `limits.memory`.
           */
          resource: string;
          /**
           * Unit of the value, `1` when absent.
           */
          divisor?: number | string;
        };
      };
    }[];
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
     * Which nodes the pods prefer or need, and which pods they keep near or away from, as in a pod.
     */
    affinity?: {
      /**
       * Nodes that the pods prefer or need.
       */
      nodeAffinity?: {
        /**
         * Nodes that the pods need.
         */
        requiredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * A node must match any of these.
           *
           * Items: All of its requirements must hold; one without any matches no node.
           */
          nodeSelectorTerms: {
            /**
             * Requirements on the node's labels.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
            /**
             * Requirements on the node's fields, of which `metadata.name` is the only one.
             *
             * Items: A requirement.
             */
            matchFields?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          }[];
        };
        /**
         * Nodes that the pods prefer.
         *
         * Items: A preference.
         */
        preferredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * How much it counts.
           */
          weight: number;
          /**
           * All of its requirements must hold; one without any matches no node.
           */
          preference: {
            /**
             * Requirements on the node's labels.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
            /**
             * Requirements on the node's fields, of which `metadata.name` is the only one.
             *
             * Items: A requirement.
             */
            matchFields?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
        }[];
      };
      /**
       * Pods that the relay's pods are to be near.
       */
      podAffinity?: {
        /**
         * What must hold.
         *
         * Items: Pods, and how far from them.
         */
        requiredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * Label of nodes; those with the same value are one place.
           */
          topologyKey: string;
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          labelSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
           */
          namespaces?: string[];
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          namespaceSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          matchLabelKeys?: string[];
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          mismatchLabelKeys?: string[];
        }[];
        /**
         * What is preferred.
         *
         * Items: A preference.
         */
        preferredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * How much it counts.
           */
          weight: number;
          /**
           * Pods, and how far from them.
           */
          podAffinityTerm: {
            /**
             * Label of nodes; those with the same value are one place.
             */
            topologyKey: string;
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            labelSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
             */
            namespaces?: string[];
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            namespaceSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            matchLabelKeys?: string[];
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            mismatchLabelKeys?: string[];
          };
        }[];
      };
      /**
       * Pods that the relay's pods are to keep away from.
       */
      podAntiAffinity?: {
        /**
         * What must hold.
         *
         * Items: Pods, and how far from them.
         */
        requiredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * Label of nodes; those with the same value are one place.
           */
          topologyKey: string;
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          labelSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
           */
          namespaces?: string[];
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          namespaceSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          matchLabelKeys?: string[];
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          mismatchLabelKeys?: string[];
        }[];
        /**
         * What is preferred.
         *
         * Items: A preference.
         */
        preferredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * How much it counts.
           */
          weight: number;
          /**
           * Pods, and how far from them.
           */
          podAffinityTerm: {
            /**
             * Label of nodes; those with the same value are one place.
             */
            topologyKey: string;
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            labelSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
             */
            namespaces?: string[];
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            namespaceSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            matchLabelKeys?: string[];
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            mismatchLabelKeys?: string[];
          };
        }[];
      };
    };
    /**
     * How the pods are spread over nodes and zones. Given, it replaces the operator's own, which prefers different nodes and zones; an empty list is no spread.
     *
     * Items: A constraint. Without labelSelector it counts the relay's own pods.
     */
    topologySpreadConstraints?: {
      /**
       * By how many pods two places may differ.
       */
      maxSkew: number;
      /**
       * Label of nodes; those with the same value are one place.
       */
      topologyKey: string;
      /**
       * Whether a pod that cannot be placed so waits or is placed all the same.
       */
      whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway";
      /**
       * Labels of the pods, or of the namespaces. Empty is all of them.
       */
      labelSelector?: {
        /**
         * Every one of these labels must be on the object.
         */
        matchLabels?: {
          [k: string]: string;
        };
        /**
         * Requirements on the object's labels, all of which must hold.
         *
         * Items: A requirement.
         */
        matchExpressions?: {
          /**
           * Name of the label.
           */
          key: string;
          /**
           * How it is compared.
           */
          operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
          /**
           * What it is compared with.
           */
          values?: string[];
        }[];
      };
      /**
       * As many places at least there are taken to be.
       */
      minDomains?: number;
      /**
       * Whether nodes that the pod cannot run on because of its affinity and selector count.
       */
      nodeAffinityPolicy?: "Honor" | "Ignore";
      /**
       * Whether nodes whose taints the pod does not accept count.
       */
      nodeTaintsPolicy?: "Honor" | "Ignore";
      /**
       * Labels that are compared with those of the pod to be placed.
       */
      matchLabelKeys?: string[];
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
    /**
     * Security settings of the pods, as in a pod. What is given here goes before the operator's own, which are runAsNonRoot and the runtime's default seccompProfile.
     */
    securityContext?: {
      /**
       * User of the relay's process, the image's own when absent.
       */
      runAsUser?: number;
      /**
       * Group of the relay's process, the image's own when absent.
       */
      runAsGroup?: number;
      /**
       * Whether the node refuses to run the relay as root. The operator's own setting is true.
       */
      runAsNonRoot?: boolean;
      /**
       * Group that owns the pods' volumes.
       */
      fsGroup?: number;
      /**
       * When the owner of a volume's files is changed.
       */
      fsGroupChangePolicy?: "OnRootMismatch" | "Always";
      /**
       * More groups of the relay's process.
       */
      supplementalGroups?: number[];
      /**
       * Whether groups that the image defines count as well.
       */
      supplementalGroupsPolicy?: "Merge" | "Strict";
      /**
       * SELinux context of the containers.
       */
      seLinuxOptions?: {
        /**
         * Level of the context.
         */
        level?: string;
        /**
         * Role of the context.
         */
        role?: string;
        /**
         * Type of the context.
         */
        type?: string;
        /**
         * User of the context.
         */
        user?: string;
      };
      /**
       * How the SELinux label of volumes is changed.
       */
      seLinuxChangePolicy?: "MountOption" | "Recursive";
      /**
       * System calls that the containers may make. The operator's own setting is the runtime's default.
       */
      seccompProfile?: {
        /**
         * Whose profile it is.
         */
        type: "RuntimeDefault" | "Localhost" | "Unconfined";
        /**
         * Name of a profile on the node, for type Localhost.
         */
        localhostProfile?: string;
      };
      /**
       * AppArmor profile of the containers.
       */
      appArmorProfile?: {
        /**
         * Whose profile it is.
         */
        type: "RuntimeDefault" | "Localhost" | "Unconfined";
        /**
         * Name of a profile on the node, for type Localhost.
         */
        localhostProfile?: string;
      };
      /**
       * Kernel settings of the pods.
       *
       * Items: A kernel setting.
       */
      sysctls?: {
        /**
         * Name of the setting.
         */
        name: string;
        /**
         * Value of the setting.
         */
        value: string;
      }[];
    };
    /**
     * How long a pod that is to end may go on to serve what it holds.
     */
    terminationGracePeriodSeconds?: number;
    /**
     * A rollout that does not progress for so long has failed. The old pods serve on.
     */
    progressDeadlineSeconds?: number;
    /**
     * What no other field can say about the pods, merged last over the operator's own pod template.
     */
    podTemplate?: {
      /**
       * Labels and annotations.
       */
      metadata?: {
        /**
         * More labels for the pods.
         */
        labels?: {
          [k: string]: string;
        };
        /**
         * More annotations for the pods.
         */
        annotations?: {
          [k: string]: string;
        };
      };
      /**
       * Any part of a pod's spec. Its containers, volumes and the like are merged by name; the relay's container is `kubearmor-relay-server`.
       */
      spec?: Record<string, unknown>;
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
     * Relay pods of the newest template.
     */
    updatedReplicas?: number;
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
     * Streams that every relay pod has confirmed to print, or `none`. Absent while they do not agree.
     */
    stdout?: string;
    /**
     * Version of the relay that the pods run; several while they differ.
     */
    version?: string;
    /**
     * Agents, as the relay pods see them.
     */
    agents?: {
      /**
       * Agents there are; of several relay pods, what the one that sees most says.
       */
      seen?: number;
      /**
       * Agents that events are collected from; of several relay pods, what the one with fewest says.
       */
      connected?: number;
    };
    /**
     * Events that were lost, all relay pods together, since each of them started.
     */
    loss?: {
      /**
       * Events that the relay received and could not deliver.
       */
      dropped?: number;
      /**
       * Times that a stream of an agent was interrupted, so that events may be missing.
       */
      gaps?: number;
    };
    /**
     * What every relay pod says of itself. Each writes its own entry.
     *
     * Items: What a relay pod says.
     */
    relays?: {
      /**
       * Name of the pod.
       */
      pod: string;
      /**
       * Version of the relay.
       */
      version?: string;
      /**
       * Hash of the settings in force. Absent while none of the ConfigMap's are.
       */
      settings?: string;
      /**
       * Streams that it prints, or `none`.
       */
      stdout?: string;
      /**
       * Agents, as this pod sees them.
       */
      agents?: {
        /**
         * Agents there are; of several relay pods, what the one that sees most says.
         */
        seen?: number;
        /**
         * Agents that events are collected from; of several relay pods, what the one with fewest says.
         */
        connected?: number;
      };
      /**
       * Events that this pod lost since it started.
       */
      loss?: {
        /**
         * Events that the relay received and could not deliver.
         */
        dropped?: number;
        /**
         * Times that a stream of an agent was interrupted, so that events may be missing.
         */
        gaps?: number;
      };
      /**
       * Why the pod is not ready, or which settings it refused. Absent when there is nothing to say.
       */
      problem?: string;
    }[];
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
      /**
       * Whether the Service has addresses of one or of both IP families.
       */
      ipFamilyPolicy: "SingleStack" | "PreferDualStack" | "RequireDualStack";
      /**
       * IP families of the Service, the first one's for good. Empty, the default, is the cluster's choice.
       */
      ipFamilies: ("IPv4" | "IPv6")[];
      /**
       * Which implementation makes the load balancer, for type LoadBalancer. Absent, the default, is the cluster's own.
       */
      loadBalancerClass?: string;
      /**
       * Addresses that the load balancer lets in, as CIDRs. Empty, the default, is all.
       */
      loadBalancerSourceRanges: string[];
      /**
       * Whether traffic from outside the cluster goes to pods on any node, or on its own node only, where its source address is kept. Absent is the cluster's default.
       */
      externalTrafficPolicy?: "Cluster" | "Local";
      /**
       * Whether traffic from inside the cluster goes to pods on any node or on its own node only. Absent is the cluster's default.
       */
      internalTrafficPolicy?: "Cluster" | "Local";
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
     * How many pods a drain of nodes may take at a time. Made only for more than one replica.
     */
    podDisruptionBudget: {
      /**
       * Make a PodDisruptionBudget.
       */
      enabled: boolean;
      /**
       * Pods that may be down at a time because of drains, as a number or as a percentage of all.
       */
      maxUnavailable: number | string;
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
     * More environment variables of the relay's container.
     *
     * Items: An environment variable.
     */
    env: {
      /**
       * Name of the variable.
       */
      name: string;
      /**
       * Value of the variable, in which $(NAME) stands for another.
       */
      value?: string;
      /**
       * Where the value comes from.
       */
      valueFrom?: {
        /**
         * A key of a ConfigMap of this namespace.
         */
        configMapKeyRef?: {
          /**
           * Name of the object.
           */
          name: string;
          /**
           * Key in the object's data.
           */
          key: string;
          /**
           * Whether the pod starts without the object or its key.
           */
          optional?: boolean;
        };
        /**
         * A key of a Secret of this namespace.
         */
        secretKeyRef?: {
          /**
           * Name of the object.
           */
          name: string;
          /**
           * Key in the object's data.
           */
          key: string;
          /**
           * Whether the pod starts without the object or its key.
           */
          optional?: boolean;
        };
        /**
         * A field of the pod.
         */
        fieldRef?: {
          /**
           * Version of the API that the path is of, v1 when absent.
           */
          apiVersion: string;
          /**
           * Path of the field, for instance `spec.nodeName`.
           */
          fieldPath: string;
        };
        /**
         * A request or limit of a container.
         */
        resourceFieldRef?: {
          /**
           * Name of the container, this one when absent.
           */
          containerName?: string;
          /**
           * What of it, for instance `limits.memory`.
           */
          resource: string;
          /**
           * Unit of the value, `1` when absent.
           */
          divisor?: number | string;
        };
      };
    }[];
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
     * Which nodes the pods prefer or need, and which pods they keep near or away from, as in a pod.
     */
    affinity?: {
      /**
       * Nodes that the pods prefer or need.
       */
      nodeAffinity?: {
        /**
         * Nodes that the pods need.
         */
        requiredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * A node must match any of these.
           *
           * Items: All of its requirements must hold; one without any matches no node.
           */
          nodeSelectorTerms: {
            /**
             * Requirements on the node's labels.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
            /**
             * Requirements on the node's fields, of which `metadata.name` is the only one.
             *
             * Items: A requirement.
             */
            matchFields?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          }[];
        };
        /**
         * Nodes that the pods prefer.
         *
         * Items: A preference.
         */
        preferredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * How much it counts.
           */
          weight: number;
          /**
           * All of its requirements must hold; one without any matches no node.
           */
          preference: {
            /**
             * Requirements on the node's labels.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
            /**
             * Requirements on the node's fields, of which `metadata.name` is the only one.
             *
             * Items: A requirement.
             */
            matchFields?: {
              /**
               * Name of the label or field.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
        }[];
      };
      /**
       * Pods that the relay's pods are to be near.
       */
      podAffinity?: {
        /**
         * What must hold.
         *
         * Items: Pods, and how far from them.
         */
        requiredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * Label of nodes; those with the same value are one place.
           */
          topologyKey: string;
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          labelSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
           */
          namespaces?: string[];
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          namespaceSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          matchLabelKeys?: string[];
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          mismatchLabelKeys?: string[];
        }[];
        /**
         * What is preferred.
         *
         * Items: A preference.
         */
        preferredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * How much it counts.
           */
          weight: number;
          /**
           * Pods, and how far from them.
           */
          podAffinityTerm: {
            /**
             * Label of nodes; those with the same value are one place.
             */
            topologyKey: string;
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            labelSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
             */
            namespaces?: string[];
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            namespaceSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            matchLabelKeys?: string[];
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            mismatchLabelKeys?: string[];
          };
        }[];
      };
      /**
       * Pods that the relay's pods are to keep away from.
       */
      podAntiAffinity?: {
        /**
         * What must hold.
         *
         * Items: Pods, and how far from them.
         */
        requiredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * Label of nodes; those with the same value are one place.
           */
          topologyKey: string;
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          labelSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
           */
          namespaces?: string[];
          /**
           * Labels of the pods, or of the namespaces. Empty is all of them.
           */
          namespaceSelector?: {
            /**
             * Every one of these labels must be on the object.
             */
            matchLabels?: {
              [k: string]: string;
            };
            /**
             * Requirements on the object's labels, all of which must hold.
             *
             * Items: A requirement.
             */
            matchExpressions?: {
              /**
               * Name of the label.
               */
              key: string;
              /**
               * How it is compared.
               */
              operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
              /**
               * What it is compared with.
               */
              values?: string[];
            }[];
          };
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          matchLabelKeys?: string[];
          /**
           * Labels that are compared with those of the pod to be placed.
           */
          mismatchLabelKeys?: string[];
        }[];
        /**
         * What is preferred.
         *
         * Items: A preference.
         */
        preferredDuringSchedulingIgnoredDuringExecution?: {
          /**
           * How much it counts.
           */
          weight: number;
          /**
           * Pods, and how far from them.
           */
          podAffinityTerm: {
            /**
             * Label of nodes; those with the same value are one place.
             */
            topologyKey: string;
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            labelSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Namespaces of the pods. Without these and without namespaceSelector, the relay's own.
             */
            namespaces?: string[];
            /**
             * Labels of the pods, or of the namespaces. Empty is all of them.
             */
            namespaceSelector?: {
              /**
               * Every one of these labels must be on the object.
               */
              matchLabels?: {
                [k: string]: string;
              };
              /**
               * Requirements on the object's labels, all of which must hold.
               *
               * Items: A requirement.
               */
              matchExpressions?: {
                /**
                 * Name of the label.
                 */
                key: string;
                /**
                 * How it is compared.
                 */
                operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
                /**
                 * What it is compared with.
                 */
                values?: string[];
              }[];
            };
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            matchLabelKeys?: string[];
            /**
             * Labels that are compared with those of the pod to be placed.
             */
            mismatchLabelKeys?: string[];
          };
        }[];
      };
    };
    /**
     * How the pods are spread over nodes and zones. Given, it replaces the operator's own, which prefers different nodes and zones; an empty list is no spread.
     *
     * Items: A constraint. Without labelSelector it counts the relay's own pods.
     */
    topologySpreadConstraints?: {
      /**
       * By how many pods two places may differ.
       */
      maxSkew: number;
      /**
       * Label of nodes; those with the same value are one place.
       */
      topologyKey: string;
      /**
       * Whether a pod that cannot be placed so waits or is placed all the same.
       */
      whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway";
      /**
       * Labels of the pods, or of the namespaces. Empty is all of them.
       */
      labelSelector?: {
        /**
         * Every one of these labels must be on the object.
         */
        matchLabels?: {
          [k: string]: string;
        };
        /**
         * Requirements on the object's labels, all of which must hold.
         *
         * Items: A requirement.
         */
        matchExpressions?: {
          /**
           * Name of the label.
           */
          key: string;
          /**
           * How it is compared.
           */
          operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
          /**
           * What it is compared with.
           */
          values?: string[];
        }[];
      };
      /**
       * As many places at least there are taken to be.
       */
      minDomains?: number;
      /**
       * Whether nodes that the pod cannot run on because of its affinity and selector count.
       */
      nodeAffinityPolicy?: "Honor" | "Ignore";
      /**
       * Whether nodes whose taints the pod does not accept count.
       */
      nodeTaintsPolicy?: "Honor" | "Ignore";
      /**
       * Labels that are compared with those of the pod to be placed.
       */
      matchLabelKeys?: string[];
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
    /**
     * Security settings of the pods, as in a pod. What is given here goes before the operator's own, which are runAsNonRoot and the runtime's default seccompProfile.
     */
    securityContext: {
      /**
       * User of the relay's process, the image's own when absent.
       */
      runAsUser?: number;
      /**
       * Group of the relay's process, the image's own when absent.
       */
      runAsGroup?: number;
      /**
       * Whether the node refuses to run the relay as root. The operator's own setting is true.
       */
      runAsNonRoot?: boolean;
      /**
       * Group that owns the pods' volumes.
       */
      fsGroup?: number;
      /**
       * When the owner of a volume's files is changed.
       */
      fsGroupChangePolicy?: "OnRootMismatch" | "Always";
      /**
       * More groups of the relay's process.
       */
      supplementalGroups?: number[];
      /**
       * Whether groups that the image defines count as well.
       */
      supplementalGroupsPolicy?: "Merge" | "Strict";
      /**
       * SELinux context of the containers.
       */
      seLinuxOptions?: {
        /**
         * Level of the context.
         */
        level?: string;
        /**
         * Role of the context.
         */
        role?: string;
        /**
         * Type of the context.
         */
        type?: string;
        /**
         * User of the context.
         */
        user?: string;
      };
      /**
       * How the SELinux label of volumes is changed.
       */
      seLinuxChangePolicy?: "MountOption" | "Recursive";
      /**
       * System calls that the containers may make. The operator's own setting is the runtime's default.
       */
      seccompProfile?: {
        /**
         * Whose profile it is.
         */
        type: "RuntimeDefault" | "Localhost" | "Unconfined";
        /**
         * Name of a profile on the node, for type Localhost.
         */
        localhostProfile?: string;
      };
      /**
       * AppArmor profile of the containers.
       */
      appArmorProfile?: {
        /**
         * Whose profile it is.
         */
        type: "RuntimeDefault" | "Localhost" | "Unconfined";
        /**
         * Name of a profile on the node, for type Localhost.
         */
        localhostProfile?: string;
      };
      /**
       * Kernel settings of the pods.
       *
       * Items: A kernel setting.
       */
      sysctls?: {
        /**
         * Name of the setting.
         */
        name: string;
        /**
         * Value of the setting.
         */
        value: string;
      }[];
    };
    /**
     * How long a pod that is to end may go on to serve what it holds.
     */
    terminationGracePeriodSeconds: number;
    /**
     * A rollout that does not progress for so long has failed. The old pods serve on.
     */
    progressDeadlineSeconds: number;
    /**
     * What no other field can say about the pods, merged last over the operator's own pod template.
     */
    podTemplate: {
      /**
       * Labels and annotations.
       */
      metadata?: {
        /**
         * More labels for the pods.
         */
        labels?: {
          [k: string]: string;
        };
        /**
         * More annotations for the pods.
         */
        annotations?: {
          [k: string]: string;
        };
      };
      /**
       * Any part of a pod's spec. Its containers, volumes and the like are merged by name; the relay's container is `kubearmor-relay-server`.
       */
      spec?: Record<string, unknown>;
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
     * Relay pods of the newest template.
     */
    updatedReplicas?: number;
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
     * Streams that every relay pod has confirmed to print, or `none`. Absent while they do not agree.
     */
    stdout?: string;
    /**
     * Version of the relay that the pods run; several while they differ.
     */
    version?: string;
    /**
     * Agents, as the relay pods see them.
     */
    agents?: {
      /**
       * Agents there are; of several relay pods, what the one that sees most says.
       */
      seen?: number;
      /**
       * Agents that events are collected from; of several relay pods, what the one with fewest says.
       */
      connected?: number;
    };
    /**
     * Events that were lost, all relay pods together, since each of them started.
     */
    loss?: {
      /**
       * Events that the relay received and could not deliver.
       */
      dropped?: number;
      /**
       * Times that a stream of an agent was interrupted, so that events may be missing.
       */
      gaps?: number;
    };
    /**
     * What every relay pod says of itself. Each writes its own entry.
     *
     * Items: What a relay pod says.
     */
    relays?: {
      /**
       * Name of the pod.
       */
      pod: string;
      /**
       * Version of the relay.
       */
      version?: string;
      /**
       * Hash of the settings in force. Absent while none of the ConfigMap's are.
       */
      settings?: string;
      /**
       * Streams that it prints, or `none`.
       */
      stdout?: string;
      /**
       * Agents, as this pod sees them.
       */
      agents?: {
        /**
         * Agents there are; of several relay pods, what the one that sees most says.
         */
        seen?: number;
        /**
         * Agents that events are collected from; of several relay pods, what the one with fewest says.
         */
        connected?: number;
      };
      /**
       * Events that this pod lost since it started.
       */
      loss?: {
        /**
         * Events that the relay received and could not deliver.
         */
        dropped?: number;
        /**
         * Times that a stream of an agent was interrupted, so that events may be missing.
         */
        gaps?: number;
      };
      /**
       * Why the pod is not ready, or which settings it refused. Absent when there is nothing to say.
       */
      problem?: string;
    }[];
  };
}
