/**
 * The versions of the tunnel protocol, and how two ends find the one that they speak: the agent says its range in the hello,
 * the daemon chooses. What only a newer version can do is asked by the chosen version, never tried.
 *
 *   1  own streams; never published
 *   2  both ends prove themselves
 *   3  versions are negotiated, datagrams
 */

/** Both ends included. */
export interface VersionRange {
  readonly lowest: number;
  readonly highest: number;
}

/** The newest version. */
export const protocolVersion = 3;

/** An agent speaks first, and says hello in a way that daemons of version 2 do not read. */
export const agentVersions: VersionRange = { lowest: 3, highest: protocolVersion };
/** A daemon still speaks to agents that were started by an older one. */
export const daemonVersions: VersionRange = { lowest: 2, highest: protocolVersion };

/** From this version on a hello says a range. Its form stays the same in all versions to come. */
export const firstNegotiated = 3;
/** From this version on there is CONNECT for datagrams. */
export const firstWithDatagrams = 3;

/** The highest version that both speak; undefined: none. */
export function agreedVersion(one: VersionRange, other: VersionRange): number | undefined {
  const highest = Math.min(one.highest, other.highest);
  return highest < Math.max(one.lowest, other.lowest) ? undefined : highest;
}

export const speaks = ({ lowest, highest }: VersionRange, version: number): boolean =>
  version >= lowest && version <= highest;

/** As in "versions 2 to 3" or "version 3". */
export const rangeText = ({ lowest, highest }: VersionRange): string =>
  lowest === highest ? `version ${highest}` : `versions ${lowest} to ${highest}`;
