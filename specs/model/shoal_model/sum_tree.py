"""Sum trees (section 15): Merkle trees in which each node commits to the sums below it."""

from dataclasses import dataclass

from .sha256 import tagged

HASH_BYTES = 32


@dataclass(frozen=True)
class Kind:
    """A kind of tree: the tag of its nodes and the width of its sums in bytes."""

    node_tag: str
    sum_bytes: int

    def node(self, left, right):
        """The node above two, each of which is (hash, sum)."""
        data = b"".join(hash_ + sum_.to_bytes(self.sum_bytes, "little") for hash_, sum_ in (left, right))
        return tagged(self.node_tag, data), left[1] + right[1]

    def root(self, leaves):
        """The root over leaves, of which there is at least one."""
        level = list(leaves)
        while len(level) > 1:
            pairs = [self.node(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
            # An odd node rises to the next level unchanged.
            level = pairs + level[len(level) - len(level) % 2 :]
        return level[0]

    def commitment(self, leaves):
        """What commits to a tree over these leaves."""
        leaves = list(leaves)
        return self.encode(len(leaves), self.root(leaves)) if leaves else self.empty()

    def encode(self, count, root):
        hash_, sum_ = root
        return count.to_bytes(4, "little") + sum_.to_bytes(self.sum_bytes, "little") + hash_

    def empty(self):
        return bytes(4 + self.sum_bytes + HASH_BYTES)


WEIGHTS = Kind("shoal/node", 16)
HISTORY = Kind("shoal/history", 32)


@dataclass(frozen=True)
class Growing:
    """A tree that grows by a leaf at a time. Holds the roots of its whole subtrees, the largest and leftmost first, as
    a Merkle mountain range does: as many as `count` has bits set."""

    kind: Kind
    count: int = 0
    peaks: tuple = ()

    def with_leaf(self, leaf):
        peaks, count = self.peaks + (leaf,), self.count
        while count & 1:
            peaks = peaks[:-2] + (self.kind.node(*peaks[-2:]),)
            count >>= 1
        return Growing(self.kind, self.count + 1, peaks)

    def commitment(self):
        if not self.count:
            return self.kind.empty()
        root = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            root = self.kind.node(peak, root)
        return self.kind.encode(self.count, root)
