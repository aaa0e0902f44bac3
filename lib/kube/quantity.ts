const powers: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  "": [10n, 0],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};

const pattern = /^([+-]?)(\d*)\.?(\d*)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/**
 * The value of a resource quantity in billionths, so that `1000m` and `1` compare as equal: the server writes them
 * its own way. Undefined for what is no quantity.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function parseQuantity(value: unknown): bigint | undefined {
  const match = pattern.exec(String(value));
  if (match === null || (match[2] === "" && match[3] === "")) return undefined;
  const [, sign, whole = "", fraction = "", suffix = "", exponent] = match;
  const [base, power] = powers[suffix] ?? [10n, 0];
  const tens = 9 - fraction.length + Number(exponent ?? 0) + (base === 10n ? power : 0);
  const digits = BigInt(whole + fraction) * (base === 2n ? base ** BigInt(power) : 1n);
  // Below a billionth the server rounds up, and so does this.
  const scaled = tens >= 0 ? digits * 10n ** BigInt(tens) : divideUp(digits, 10n ** BigInt(-tens));
  return sign === "-" ? -scaled : scaled;
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
