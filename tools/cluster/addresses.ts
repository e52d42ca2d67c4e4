/** Everything about the network of one cluster follows from its slot, so that clusters side by side never meet. */
export interface ClusterAddresses {
  /** The /16 that holds all of the addresses below. */
  readonly block: string;
  readonly hostLink: string;
  readonly nodeLink: string;
  readonly hostAddress: string;
  readonly nodeAddress: string;
  readonly linkPrefix: number;
  readonly podRange: string;
  readonly podGateway: string;
  readonly serviceRange: string;
  readonly apiServiceAddress: string;
  readonly dnsServiceAddress: string;
  readonly apiServerPort: number;
  readonly apiServerUrl: string;
}

export const SLOT_COUNT = 64;
const FIRST_BLOCK = 100;

export function slotAddresses(slot: number): ClusterAddresses {
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOT_COUNT) throw new RangeError(`no such slot: ${slot}`);
  const prefix = `10.${FIRST_BLOCK + slot}`;
  const nodeAddress = `${prefix}.0.2`;
  const apiServerPort = 6443;
  return {
    block: `${prefix}.0.0/16`,
    // Names of links have at most 15 characters: a cluster's name would not fit.
    hostLink: `terrarium${slot}`,
    nodeLink: "uplink0",
    hostAddress: `${prefix}.0.1`,
    nodeAddress,
    linkPrefix: 30,
    podRange: `${prefix}.64.0/18`,
    podGateway: `${prefix}.64.1`,
    serviceRange: `${prefix}.128.0/18`,
    apiServiceAddress: `${prefix}.128.1`,
    dnsServiceAddress: `${prefix}.128.10`,
    apiServerPort,
    apiServerUrl: `https://${nodeAddress}:${apiServerPort}`,
  };
}

/** A range of IPv4 addresses, both ends included. */
interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** True when two ranges such as `10.0.0.0/8` and `10.100.0.0/16` (or a single address) share an address. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [addressRange(one), addressRange(other)];
  return a !== undefined && b !== undefined && a.first <= b.last && b.first <= a.last;
}

function addressRange(text: string): AddressRange | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (!match) return undefined;
  const address = match.slice(1, 5).reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(match[5] ?? 32));
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}
