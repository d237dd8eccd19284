/** Kubernetes quantities such as `128Mi` or `250m`. Source: k8s.io/apimachinery/pkg/api/resource. */
const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The quantity in bytes or cores; undefined if it is not one. */
export function parseQuantity(text: string): number | undefined {
  const match = /^(?<number>[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)(?<suffix>[KMGTPE]i|[numkMGTPE]|)$/.exec(
    text.trim(),
  )?.groups;
  const factor = factors[match?.suffix ?? ''];
  const number = Number(match?.number ?? Number.NaN);
  return factor === undefined || Number.isNaN(number) ? undefined : number * factor;
}
