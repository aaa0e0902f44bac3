const minus = 0x2d;
const digitZero = 0x30;

/** Writes an integer in decimal and returns the end in `target`. */
export function writeInteger(value: number | bigint, target: Buffer, start: number): number {
  if (typeof value === "bigint") return start + target.write(value.toString(), start, "latin1");
  let to = start;
  let rest = value;
  if (rest < 0) {
    target[to++] = minus;
    rest = -rest;
  }
  let digits = 1;
  for (let power = 10; power <= rest; power *= 10) digits++;
  const end = to + digits;
  for (let at = end - 1; at >= to; at--) {
    const tenth = Math.floor(rest / 10);
    target[at] = digitZero + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}
