import assert from "node:assert/strict";
import { addressRules } from "../../../operator/resolver/address-rules.ts";

describe("addressRules", () => {
  const rules = addressRules(["10.96.0.10/32", "127.0.0.9/32"], ["10.0.0.0/8", "fd00::/8"]);
  const table: readonly [string, boolean, string][] = [
    ["93.184.216.34", true, "an address of the internet"],
    ["2606:2800:220:1::1", true, "an IPv6 address of the internet"],
    ["192.168.1.5", true, "a private address that nobody denied"],
    ["10.1.2.3", false, "a denied range"],
    ["10.96.0.10", true, "an exception from a denied range"],
    ["127.0.0.9", true, "an exception from what is always denied"],
    ["127.0.0.1", false, "this host"],
    ["0.0.0.0", false, "this host, as zero"],
    ["169.254.169.254", false, "a cloud's metadata service"],
    ["::1", false, "this host in IPv6"],
    ["::", false, "this host in IPv6, as zero"],
    ["::ffff:127.0.0.1", false, "this host, mapped into IPv6"],
    ["::ffff:7f00:1", false, "this host, mapped and in hexadecimal"],
    ["::ffff:a9fe:a9fe", false, "the metadata service, mapped and in hexadecimal"],
    ["64:ff9b::7f00:1", false, "this host through NAT64"],
    ["2002:7f00:1::", false, "this host through 6to4"],
    ["fe80::1%eth0", false, "a neighbour on the link"],
    ["fd00:ec2::254", false, "a cloud's metadata service in IPv6"],
    ["fd12::1", false, "a denied IPv6 range"],
    ["224.0.0.1", false, "multicast"],
    ["localhost", false, "no address at all"],
  ];
  for (const [address, permitted, what] of table) {
    it(`${permitted ? "permits" : "denies"} ${what}`, () => assert.equal(rules.permits(address), permitted));
  }

  for (const range of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "ten/8", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1"]) {
    it(`refuses the range ${range}`, () => assert.throws(() => addressRules([], [range]), /not an address range/));
  }
});
