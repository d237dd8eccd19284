/** Kubernetes quantities (`1500m`, `64Mi`, `1e3`): k8s.io/apimachinery/pkg/api/resource. */

const written = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([KMGTPE]i)|([numkMGTPE]))?$/;
const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/**
 * The quantity in units of 10^-`scale` (scale 3: thousandths), rounded away from zero to a whole number as Kubernetes
 * does. Undefined if the text is no quantity.
 */
export function parseQuantity(text: string, scale: number): bigint | undefined {
  const [, sign, number, exponent, binarySuffix, decimalSuffix] = written.exec(text) ?? [];
  if (number === undefined) return undefined;
  const [whole = '', fraction = ''] = number.split('.');
  const ten = scale - fraction.length + Number(exponent?.slice(1) ?? 0) + (decimal[decimalSuffix ?? ''] ?? 0);
  if (Math.abs(ten) > 100) return undefined;
  const two = binarySuffix === undefined ? 0n : 10n * BigInt(binary.indexOf(binarySuffix) + 1);
  const mantissa = BigInt(whole + fraction) * 2n ** two;
  const magnitude = ten >= 0 ? mantissa * 10n ** BigInt(ten) : ceilingDivide(mantissa, 10n ** BigInt(-ten));
  return sign === '-' ? -magnitude : magnitude;
}

function ceilingDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
