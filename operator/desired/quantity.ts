const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/;

const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"] as const;
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;

/**
 * The text that the server stores for a quantity in a pod template, for instance "1" for "1000m" and "1536Mi" for "1.5Gi":
 * sending another spelling would look like a difference for ever. What is no quantity is returned as it is, for the
 * server to refuse.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function canonicalQuantity(quantity: number | string): string {
  const text = String(quantity).trim();
  const match = pattern.exec(text);
  const whole = match?.[2] ?? "";
  const fraction = match?.[3] ?? "";
  if (match === null || whole + fraction === "") return text;
  const suffix = match[4] ?? "";
  const binaryPower = suffix === "" ? -1 : (binarySuffixes as readonly string[]).indexOf(suffix);
  const exponent = binaryPower >= 0 ? 0 : decimalExponent(suffix);
  const digits = BigInt(whole + fraction) * (binaryPower > 0 ? 1024n ** BigInt(binaryPower) : 1n);
  // Templates keep thousandths and round what is finer up.
  const millis = scaleUp(digits, exponent - fraction.length + 3) * (match[1] === "-" ? -1n : 1n);
  if (binaryPower > 0 && magnitude(millis) >= 1_024_000n) return binaryText(millis);
  return decimalText(millis, /^[eE]./.test(suffix));
}

function decimalExponent(suffix: string): number {
  if (/^[eE]./.test(suffix)) return Number(suffix.slice(1));
  return (decimalSuffixes as readonly string[]).indexOf(suffix) * 3 - 9;
}

/** digits * 10^power, rounded up. */
function scaleUp(digits: bigint, power: number): bigint {
  if (power >= 0) return digits * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (digits + divisor - 1n) / divisor;
}

function decimalText(millis: bigint, scientific: boolean): string {
  if (millis === 0n) return "0";
  let value = millis;
  let power = -3;
  while (value % 1000n === 0n && power < 18) {
    value /= 1000n;
    power += 3;
  }
  if (scientific) return power === 0 ? `${value}` : `${value}e${power}`;
  return `${value}${decimalSuffixes[power / 3 + 3] ?? ""}`;
}

function binaryText(millis: bigint): string {
  let value = millis / 1000n + (millis % 1000n > 0n ? 1n : 0n);
  let power = 0;
  while (value % 1024n === 0n && power < binarySuffixes.length - 1) {
    value /= 1024n;
    power += 1;
  }
  return `${value}${binarySuffixes[power] ?? ""}`;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
