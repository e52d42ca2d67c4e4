import { BlockList, isIP } from "node:net";

/**
 * Never reached unless allowed by name: this host, link-local (the clouds' metadata services), multicast, and the ways to
 * write an IPv4 address as an IPv6 one, which would go around these rules.
 */
const ALWAYS_DENIED = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "::1/128",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2002::/16",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
  "fe80::/10",
  "ff00::/8",
];

export interface AddressRules {
  /** Whether a connection may be made to this IP address. */
  permits(address: string): boolean;
}

/** Ranges in CIDR notation; `allow` wins over `deny`. Throws when one cannot be read. */
export function addressRules(allow: readonly string[], deny: readonly string[]): AddressRules {
  const allowed = blockList(allow);
  const denied = blockList([...ALWAYS_DENIED, ...deny]);
  return {
    permits(address) {
      // An IPv4 address in IPv6 clothes is judged by what it stands for.
      const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "").replace(/%.*$/, "");
      const version = isIP(plain);
      if (version === 0) return false;
      const family = version === 4 ? "ipv4" : "ipv6";
      return allowed.check(plain, family) || !denied.check(plain, family);
    },
  };
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits = "", ...rest] = range.split("/");
    const version = isIP(address);
    const prefix = Number(bits);
    const longest = version === 4 ? 32 : 128;
    if (version === 0 || rest.length > 0 || !/^\d+$/.test(bits) || prefix > longest) {
      throw new Error(`${JSON.stringify(range)} is not an address range: write it as in 10.0.0.0/8 or fd00::/8`);
    }
    list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}
