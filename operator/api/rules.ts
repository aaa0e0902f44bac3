import { parseQuantity } from "../../lib/kube/quantity.ts";
import type { RuleMessage } from "./schema.gen.ts";
import type { DefaultedKubeArmorRelay } from "./types.gen.ts";

type Spec = DefaultedKubeArmorRelay["spec"];
type Service = Spec["service"];
type EnvVar = Spec["env"][number];
type Toleration = Spec["tolerations"][number];
type Constraint = NonNullable<Spec["topologySpreadConstraints"]>[number];
type SecurityContext = Spec["securityContext"];
type Quantity = number | string;
type Labels = Readonly<Record<string, string>>;

interface Requirement {
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
}

/** A rule that the CRD has in CEL, for a value of which the schema has been checked. */
type Rule = (value: unknown) => boolean;

/** The CRD has the rule where its value has the type that `holds` takes. */
function rule(holds: (value: never) => boolean): Rule {
  return (value) => holds(value as never);
}

const labelKey =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const operatorLabel = /^(kubearmor-app$|operator\.kubearmor\.com\/|app\.kubernetes\.io\/)/;
const operatorVariables = new Set(["ENABLE_STDOUT_ALERTS", "ENABLE_STDOUT_LOGS", "ENABLE_STDOUT_MSGS", "POD_NAME"]);

/** The rules of the CRD by their messages. They are checked here again: an object may be older than a rule. */
const rules: Readonly<Record<RuleMessage, Rule>> = {
  "metadata.name must be at most 63 lower-case letters, digits and dashes, because the relay's pods carry it as a label":
    rule(
      ({ metadata }: DefaultedKubeArmorRelay) =>
        metadata.name.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(metadata.name),
    ),
  "the name is that of the Service for metrics": rule(
    ({ metadata, spec }: DefaultedKubeArmorRelay) => spec.service.name !== `${metadata.name}-metrics`,
  ),
  "the memory limit must be at least twice limits.bufferBytes, or the container is killed before its buffer is full":
    rule(({ resources, limits }: Spec) => {
      const { memory } = resources.limits;
      return memory === undefined || compare(memory, limits.bufferBytes, (most, buffer) => most >= 2n * buffer);
    }),
  "nodePort needs type NodePort or LoadBalancer": rule(
    ({ type, nodePort }: Service) => nodePort === undefined || type !== "ClusterIP",
  ),
  "externalTrafficPolicy needs type NodePort or LoadBalancer": rule(
    ({ type, externalTrafficPolicy }: Service) => externalTrafficPolicy === undefined || type !== "ClusterIP",
  ),
  "loadBalancerClass needs type LoadBalancer": rule(
    ({ type, loadBalancerClass }: Service) => loadBalancerClass === undefined || type === "LoadBalancer",
  ),
  "loadBalancerSourceRanges needs type LoadBalancer": rule(
    ({ type, loadBalancerSourceRanges }: Service) => loadBalancerSourceRanges.length === 0 || type === "LoadBalancer",
  ),
  "two ipFamilies need ipFamilyPolicy PreferDualStack or RequireDualStack": rule(
    ({ ipFamilies, ipFamilyPolicy }: Service) => ipFamilies.length < 2 || ipFamilyPolicy !== "SingleStack",
  ),
  "the two ipFamilies must differ": rule(
    ([first, second]: Service["ipFamilies"]) => second === undefined || first !== second,
  ),
  "maxUnavailable must be an integer from 1 to 100 or a percentage from 1% to 100%": rule((value: Quantity) =>
    typeof value === "number" ? value >= 1 && value <= 100 : /^([1-9][0-9]?|100)%$/.test(value),
  ),
  "a key of matchLabels is not a valid label key": rule((labels: Labels) =>
    Object.keys(labels).every((key) => key.indexOf("/") <= 253 && labelKey.test(key)),
  ),
  "mailboxBytes must be from 64Ki to 16Gi, written without a fraction": rule((value: Quantity) =>
    isWholeBetween(value, "64Ki", "16Gi"),
  ),
  "bufferBytes must be from 16Mi to 16Gi, written without a fraction": rule((value: Quantity) =>
    isWholeBetween(value, "16Mi", "16Gi"),
  ),
  "an environment variable has either value or valueFrom": rule(
    ({ value, valueFrom }: EnvVar) => (value === undefined) !== (valueFrom === undefined),
  ),
  "ENABLE_STDOUT_ALERTS, ENABLE_STDOUT_LOGS, ENABLE_STDOUT_MSGS and POD_NAME belong to the operator": rule(
    (name: string) => !operatorVariables.has(name),
  ),
  "valueFrom needs exactly one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef": rule(
    (sources: object) => Object.keys(sources).length === 1,
  ),
  "a request cannot be above the limit of the same name": rule(({ requests, limits }: Spec["resources"]) =>
    Object.entries(requests).every(([name, request]) => {
      const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
      return limit === undefined || compare(request, limit, (least, most) => least <= most);
    }),
  ),
  "a toleration without key needs operator Exists": rule(
    ({ key = "", operator }: Toleration) => key !== "" || operator === "Exists",
  ),
  "a toleration with operator Exists has no value": rule(
    ({ value = "", operator }: Toleration) => value === "" || operator !== "Exists",
  ),
  "tolerationSeconds needs effect NoExecute": rule(
    ({ tolerationSeconds, effect }: Toleration) => tolerationSeconds === undefined || effect === "NoExecute",
  ),
  "In and NotIn need values, Gt and Lt one value, Exists and DoesNotExist none": rule(
    ({ operator, values = [] }: Requirement) => {
      if (operator === "Gt" || operator === "Lt") return values.length === 1;
      return isSetOperator(operator) === values.length > 0;
    },
  ),
  "In and NotIn need values, Exists and DoesNotExist none": rule(
    ({ operator, values = [] }: Requirement) => isSetOperator(operator) === values.length > 0,
  ),
  "minDomains needs whenUnsatisfiable DoNotSchedule": rule(
    ({ minDomains, whenUnsatisfiable }: Constraint) =>
      minDomains === undefined || whenUnsatisfiable === "DoNotSchedule",
  ),
  "the labels kubearmor-app, operator.kubearmor.com/* and app.kubernetes.io/* belong to the operator": rule(
    (labels: Labels) => !Object.keys(labels).some((key) => operatorLabel.test(key)),
  ),
  "runAsUser 0 needs runAsNonRoot false": rule(
    ({ runAsUser, runAsNonRoot = true }: SecurityContext) => runAsUser !== 0 || !runAsNonRoot,
  ),
  "type Localhost needs localhostProfile, and the others have none": rule(
    ({ type, localhostProfile = "" }: Profile) => (type === "Localhost") === (localhostProfile !== ""),
  ),
};

/** Whether the rule with this message holds for a value of the field it is about. */
export function ruleHolds(message: string, value: unknown): boolean {
  return rules[message as RuleMessage](value);
}

function isSetOperator(operator: string): boolean {
  return operator === "In" || operator === "NotIn";
}

/** False when one of them is no quantity, as CEL's error is a refusal. */
function compare(a: Quantity, b: Quantity, holds: (a: bigint, b: bigint) => boolean): boolean {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left !== undefined && right !== undefined && holds(left, right);
}

/** The server takes no number for whole that is written with a fraction, be it zero, or in thousandths. */
const whole = /^\+?\d+([kMGTPE]i?|Ki|[eE]\+?\d+)?$/;

function isWholeBetween(value: Quantity, min: string, max: string): boolean {
  const isBetween = compare(value, min, (a, b) => a >= b) && compare(value, max, (a, b) => a <= b);
  return isBetween && whole.test(String(value));
}
