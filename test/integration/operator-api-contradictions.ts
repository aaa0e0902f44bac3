import type { RuleMessage } from "../../operator/api/schema.gen.ts";

/** Of a relay named `relay`, for every rule of the CRD a spec that breaks it and nothing else. */
export const contradictions: Readonly<Record<Exclude<RuleMessage, `metadata.name must${string}`>, object>> = {
  "the name is that of the Service for metrics": { service: { name: "relay-metrics" } },
  "the memory limit must be at least twice limits.bufferBytes, or the container is killed before its buffer is full": {
    limits: { bufferBytes: "257Mi" },
  },
  "nodePort needs type NodePort or LoadBalancer": { service: { nodePort: 30_000 } },
  "externalTrafficPolicy needs type NodePort or LoadBalancer": { service: { externalTrafficPolicy: "Local" } },
  "loadBalancerClass needs type LoadBalancer": { service: { type: "NodePort", loadBalancerClass: "example.com/a" } },
  "loadBalancerSourceRanges needs type LoadBalancer": { service: { loadBalancerSourceRanges: ["10.0.0.0/8"] } },
  "two ipFamilies need ipFamilyPolicy PreferDualStack or RequireDualStack": {
    service: { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "SingleStack" },
  },
  "the two ipFamilies must differ": { service: { ipFamilies: ["IPv4", "IPv4"] } },
  "maxUnavailable must be an integer from 1 to 100 or a percentage from 1% to 100%": {
    podDisruptionBudget: { maxUnavailable: "0%" },
  },
  "a key of matchLabels is not a valid label key": { agents: { selector: { matchLabels: { "a..b/c": "d" } } } },
  "mailboxBytes must be from 64Ki to 16Gi, written without a fraction": { limits: { mailboxBytes: "70000.0" } },
  "bufferBytes must be from 16Mi to 16Gi, written without a fraction": { limits: { bufferBytes: "512Ki" } },
  "an environment variable has either value or valueFrom": { env: [{ name: "A" }] },
  "ENABLE_STDOUT_ALERTS, ENABLE_STDOUT_LOGS, ENABLE_STDOUT_MSGS and POD_NAME belong to the operator": {
    env: [{ name: "POD_NAME", value: "" }],
  },
  "valueFrom needs exactly one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef": {
    env: [
      {
        name: "A",
        valueFrom: { fieldRef: { fieldPath: "spec.nodeName" }, resourceFieldRef: { resource: "limits.memory" } },
      },
    ],
  },
  "a request cannot be above the limit of the same name": {
    resources: { requests: { memory: "1025Mi" }, limits: { memory: "1Gi" } },
  },
  "a toleration without key needs operator Exists": { tolerations: [{ value: "x" }] },
  "a toleration with operator Exists has no value": { tolerations: [{ operator: "Exists", value: "x" }] },
  "tolerationSeconds needs effect NoExecute": { tolerations: [{ key: "a", tolerationSeconds: 1 }] },
  "In and NotIn need values, Gt and Lt one value, Exists and DoesNotExist none": {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "Gt", values: ["1", "2"] }] }],
        },
      },
    },
  },
  "In and NotIn need values, Exists and DoesNotExist none": {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "a",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchExpressions: [{ key: "a", operator: "Exists", values: ["b"] }] },
      },
    ],
  },
  "minDomains needs whenUnsatisfiable DoNotSchedule": {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "a", whenUnsatisfiable: "ScheduleAnyway", minDomains: 2 }],
  },
  "the labels kubearmor-app, operator.kubearmor.com/* and app.kubernetes.io/* belong to the operator": {
    podTemplate: { metadata: { labels: { "operator.kubearmor.com/relay": "other" } } },
  },
  "runAsUser 0 needs runAsNonRoot false": { securityContext: { runAsUser: 0 } },
  "type Localhost needs localhostProfile, and the others have none": {
    securityContext: { seccompProfile: { type: "Localhost" } },
  },
};
