import assert from "node:assert/strict";
import fc from "fast-check";
import { overlaps, SLOT_COUNT, slotAddresses } from "../../../tools/cluster/addresses.ts";
import { conflictingRange } from "../../../tools/cluster/network.ts";
import { chooseSlot } from "../../../tools/cluster/slots.ts";

const slot = fc.integer({ min: 0, max: SLOT_COUNT - 1 });

describe("addresses of local clusters", () => {
  it("keep everything of a cluster inside its own block", () => {
    fc.assert(
      fc.property(slot, (number) => {
        const { block, hostAddress, nodeAddress, podRange, podGateway, serviceRange, dnsServiceAddress } =
          slotAddresses(number);
        for (const range of [hostAddress, nodeAddress, podRange, serviceRange])
          assert.ok(overlaps(range, block), range);
        assert.ok(overlaps(podGateway, podRange));
        assert.ok(overlaps(dnsServiceAddress, serviceRange));
        assert.ok(!overlaps(podRange, serviceRange));
        assert.ok(!overlaps(nodeAddress, podRange));
      }),
    );
  });

  it("never meet those of another cluster", () => {
    fc.assert(
      fc.property(slot, slot, (one, other) => {
        const [a, b] = [slotAddresses(one), slotAddresses(other)];
        assert.equal(overlaps(a.block, b.block), one === other);
        assert.equal(a.hostLink === b.hostLink, one === other);
        assert.ok(a.hostLink.length <= 15, "the kernel refuses longer names");
      }),
    );
  });

  it("exist for the slots that there are and no others", () => {
    for (const wrong of [-1, SLOT_COUNT, 1.5]) assert.throws(() => slotAddresses(wrong), RangeError);
  });

  const ranges: readonly (readonly [string, string, boolean])[] = [
    ["10.0.0.0/8", "10.100.0.0/16", true],
    ["10.100.0.0/30", "10.100.0.0/16", true],
    ["10.100.255.255", "10.100.0.0/16", true],
    ["10.101.0.0", "10.100.0.0/16", false],
    ["192.168.0.0/16", "10.100.0.0/16", false],
    ["0.0.0.0/0", "10.100.0.0/16", true],
    ["fd00::/64", "10.100.0.0/16", false],
  ];
  for (const [one, other, expected] of ranges) {
    it(`${one} and ${other} ${expected ? "overlap" : "do not overlap"}`, () => {
      assert.equal(overlaps(one, other), expected);
      assert.equal(overlaps(other, one), expected);
    });
  }
});

describe("the slot of a new cluster", () => {
  it("is the lowest one that is free", () => {
    assert.equal(chooseSlot([], []), 0);
    assert.equal(chooseSlot([0, 1, 3], []), 2);
  });

  it("stays away from ranges that the machine uses", () => {
    assert.equal(chooseSlot([], [{ range: "10.100.7.0/24", link: "eth0" }]), 1);
  });

  it("is refused with the range that is in the way", () => {
    assert.throws(
      () => chooseSlot([], [{ range: "10.0.0.0/8", link: "wg0" }]),
      /10\.0\.0\.0\/8 on the link wg0 overlaps/,
    );
  });

  it("is refused when there are too many clusters", () => {
    const all = Array.from({ length: SLOT_COUNT }, (_, index) => index);
    assert.throws(() => chooseSlot(all, []), /Take one down first/);
  });

  it("is not in conflict with the link of the cluster itself", () => {
    const addresses = slotAddresses(4);
    assert.equal(conflictingRange(addresses, [{ range: addresses.podRange, link: addresses.hostLink }]), undefined);
  });
});
