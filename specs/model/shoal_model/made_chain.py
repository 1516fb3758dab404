"""Made-up chains: a random world of miners on a network so easy that Python can mine it."""

import random
from dataclasses import dataclass, replace
from typing import Optional

from . import miner
from .bitcoin import Headers
from .chain import Chain
from .params import ONE_BLOCK, Params
from .recording import show_start
from .replayer import table
from .targets import expand, work
from .verdict import Unlistable

START_TIME = 1_800_000_000
HARD_BLOCK = 1 << 9  # hashes; a made-up world makes no harder blocks on purpose

# Small depths, so that a short chain meets all of them. A Bitcoin block takes two hashes, a share 32, a link 128.
EASY = Params(
    name="easy",
    pool="",
    bitcoin_genesis=bytes.fromhex("00" * 32),  # replaced below
    signet_challenge=b"",
    pow_limit_bits=0x207FFFFF,
    retarget_blocks=2016,
    retarget_timespan_s=1_209_600,
    retarget_factor_max=4,
    min_difficulty_after_s=0,
    timewarp_s=0,
    halving_blocks=40,
    start_height=5,
    min_block_work=1 << 10,
    link_interval_s=10,
    shares_per_link=4,
    retarget_half_life_s=240,
    retarget_exponent_max=16,
    anchor_depth=4,
    listing_depth=12,
    credit_depth=9,
    stale_depth=3,
    link_credit_divisor=8,
    times_apart_s=7200,
    snapshot_bitcoin_depth=3,
    snapshot_burial=2,
    seed_depth=1,
    first_link_target=(1 << 249) - 1,
    easiest_share_target=(1 << 252) - 1,
    window_weight=ONE_BLOCK * 21 // 32,
    window_proofs=24,
    listed_before_payouts=8,
    output_floor_sat=10_000,
    median_span=5,
    outputs_max=4,
    prefix_bytes_max=480,
)
GENESIS = miner.bitcoin_header(EASY, None, START_TIME - 6000)
EASY = replace(EASY, bitcoin_genesis=miner.double(GENESIS))
# A network whose Bitcoin retargets every few blocks, so that a branch of Bitcoin can be shorter and yet have more work.
FORKS = replace(EASY, name="forks", pow_limit_bits=0x207FFFFF, retarget_blocks=4, retarget_timespan_s=48)
FORKS_GENESIS = miner.bitcoin_header(FORKS, None, START_TIME - 6000)
FORKS = replace(FORKS, bitcoin_genesis=miner.double(FORKS_GENESIS))

SCRIPTS = [
    bytes.fromhex(text)
    for text in (
        "0014" + "a1" * 20,
        "5120" + "b2" * 32,
        "76a914" + "c3" * 20 + "88ac",
        "a914" + "d4" * 20 + "87",
        "0020" + "e5" * 32,
        "0014" + "f6" * 20,
        "5120" + "07" * 32,
        "0014" + "18" * 20,
        "5220" + "29" * 32,
        "6020" + "3a" * 32,
    )
]


@dataclass
class Odds:
    """How the world behaves. Each is the chance of something happening with one proof."""

    bitcoin_block: float = 0.12
    bitcoin_fork: float = 0.03  # a competing block instead of one on top
    bitcoin_reorganization: float = 0.0  # a branch with more work instead of a block on top
    old_block: float = 0.0  # builds on another Bitcoin block than the best
    old_parent: float = 0.2
    late: float = 0.15  # found now, told some proofs later
    omits: float = 0.1  # lists only a part
    null_data: float = 0.1


class Made:
    """A chain in the making, and the lines of its recording."""

    def __init__(self, params=EASY, genesis=GENESIS):
        root_work = work(expand(params.pow_limit_bits))
        self._set_chain(Chain(params, Headers(params, 0, root_work, [genesis])))
        self.lines = [show_start(params, 0, root_work, [genesis])]

    def _set_chain(self, chain):
        self.params, self.chain = chain.params, chain
        self.blocks = sorted(chain.headers.by_hash.values(), key=lambda header: header.height)

    @classmethod
    def of(cls, chain):
        """One that goes on with a chain; its recording has no lines yet."""
        made = cls.__new__(cls)
        made._set_chain(chain)
        made.lines = []
        return made

    @property
    def best_block(self):
        return max(self.blocks, key=lambda header: header.chain_work)

    def block(self, previous=None, time=None, root=bytes(32)):
        """Mines a Bitcoin header; returns it in its place."""
        previous = previous or self.best_block
        raw = miner.bitcoin_header(self.params, previous, time or previous.time + 600, root)
        self.lines.append({"header": raw.hex()})
        self.chain.add_header(raw)
        self.blocks.append(self.chain.headers.get(miner.double(raw)))
        return self.blocks[-1]

    def mine(self, work, parent, link: Optional[bool]):
        """Mines work on `parent` into a link, a share that is no link, or whatever comes first when that is None."""
        place = parent.position(self.params)
        ranges = {True: (-1, place.link_target), False: (place.link_target, place.share_target)}
        above, most = ranges.get(link, (-1, place.share_target))
        return work.mine(self.params, lambda hash_: above < hash_ <= most)

    def tell(self, proof, ids):
        """Gives the proof to the chain, and to the recording; with its list if it is a link. Returns its node, or None
        if it came too late."""
        line = {"proof": proof.encode().hex()}
        try:
            node = self.chain.insert(proof.encode())
        except Unlistable:
            self.lines.append({**line, "verdict": "unlistable"})
            return None
        if node.is_link:
            line["list"] = [id_.hex() for id_ in ids]
            self.chain.insert_list(proof.id, ids)
        self.lines.append(line)
        return node

    def add(self, parent=None, payout=SCRIPTS[0], time=START_TIME, ids=None, link=None, previous=None, signals=0):
        """Makes, mines and tells a proof that lists what it can. Returns its node."""
        parent = parent or self.chain.tip
        ids = miner.listable(self.chain, parent) if ids is None else ids
        work = miner.work_on(self.chain, parent, previous or self.best_block, payout, time, ids)
        work = work.with_share(signals=signals)
        return self.tell(self.mine(work, parent, link), ids)

    # --- Claims ---

    def claims(self, payout=SCRIPTS[0]):
        """What a node would claim at this point: tip, credits of all links, and what new work on the tip follows
        from."""
        chain, tip = self.chain, self.chain.tip
        snapshot = chain.snapshot(tip.position(self.params), self.best_block)
        return [
            {"claim": "tip", "id": tip.id.hex(), "height": tip.height, "chain_work": f"{tip.chain_work:064x}"},
            *[link_claim(tip.ancestor(height)) for height in range(1, tip.height + 1)],
            window_claim(snapshot, chain.window(snapshot)),
            self.outputs_claim(tip, self.best_block, payout),
            self.state_claim(tip, self.best_block, miner.listable(chain, tip)),
        ]

    def outputs_claim(self, parent, block, finder):
        """What a proof of `finder` on a link and a Bitcoin block pays, without fees."""
        value = self.chain.created(block)
        paid = self.chain.payouts(parent.position(self.params), block, finder, value)
        return {
            "claim": "outputs",
            "parent": parent.id.hex(),
            "previous_block": block.hash.hex(),
            "payout": finder.hex(),
            "coinbase_value": value,
            "outputs": [[script.hex(), sat] for script, sat in paid],
        }

    def state_claim(self, parent, block, ids):
        """The state root of a link on a complete link and a Bitcoin block, with a list."""
        return {
            "claim": "state",
            "parent": parent.id.hex(),
            "previous_block": block.hash.hex(),
            "list": [id_.hex() for id_ in ids],
            "state_root": self.chain.state_root_for(parent, block, ids).hex(),
        }


def shown_rows(rows):
    return [[script.hex(), str(weight), proofs] for script, weight, proofs in table(rows)]


def link_claim(link):
    return {"claim": "link", "id": link.id.hex(), "height": link.height, "rows": shown_rows(link.rows)}


def window_claim(snapshot, window):
    return {
        "claim": "window",
        "snapshot": snapshot.id.hex(),
        "oldest": window.oldest,
        "newest": window.newest,
        "proofs": window.proofs,
        "total": str(window.total),
        "sums": shown_rows(window.sums),
    }


def random_chain(seed, proofs, odds=None, params=EASY, genesis=GENESIS):
    """A world of miners of different size who find so many proofs: some late, some on old links, some leaving out
    others."""
    chance, odds, made = random.Random(seed), odds or Odds(), Made(params, genesis)
    for _ in range(made.params.start_height + 1):
        made.block()
    now, drawer = START_TIME, []
    for _ in range(proofs):
        now += chance.randint(0, 8)
        _bitcoin(made, chance, odds, now)
        proof, ids = _find(made, chance, odds, now)
        if chance.random() < odds.late:
            drawer.append((proof, ids))
        else:
            made.tell(proof, ids)
        while drawer and chance.random() < 0.3:
            made.tell(*drawer.pop(chance.randrange(len(drawer))))
    for late in drawer:
        made.tell(*late)
    return made


def forked_chain(seed, proofs):
    """A world whose Bitcoin reorganizes now and then, also to fewer blocks."""
    odds = Odds(bitcoin_block=0.16, bitcoin_reorganization=0.06, old_block=0.4, old_parent=0.3, late=0.3)
    return random_chain(seed, proofs, odds, FORKS, FORKS_GENESIS)


def _bitcoin(made, chance, odds, now):
    if chance.random() < odds.bitcoin_reorganization:
        _reorganize(made, chance, now)
    if chance.random() >= odds.bitcoin_block:
        return
    best = made.best_block
    fork = chance.random() < odds.bitcoin_fork / odds.bitcoin_block and best.height > made.params.start_height + 1
    _block_on(made, chance, best.previous if fork else best, now)


def _reorganize(made, chance, now):
    """Blocks on an earlier period's block until they have more work than the best one. Early times make them harder, so
    that fewer of them do."""
    best, period = made.best_block, made.params.retarget_blocks
    below = best.ancestor(max(made.params.start_height + 1, best.height // period * period - chance.randint(1, 3)))
    early = best.height % period >= 2 and work(expand(best.bits)) < HARD_BLOCK
    while below.chain_work <= best.chain_work:
        below = _block_on(made, chance, below, 0 if early else now)


def _block_on(made, chance, below, now):
    return made.block(below, max(now, below.median_time() + 1), chance.randbytes(32))


def _find(made, chance, odds, now):
    """A proof and the list that it commits to."""
    parent = made.chain.tip
    if chance.random() < odds.old_parent:
        near = [node for node in made.chain.nodes.values() if node.is_link and node.height >= parent.height - 3]
        parent = chance.choice(near)
    payout = SCRIPTS[min(int(chance.expovariate(0.5)), len(SCRIPTS) - 1)]
    ids = miner.listable(made.chain, parent)
    if ids and chance.random() < odds.omits:
        ids = _without(made.chain, parent, ids, chance.choice(ids))
    branch = tuple(chance.randbytes(32) for _ in range(chance.randint(0, 3)))
    previous = made.best_block
    if chance.random() < odds.old_block:
        least = max(parent.bitcoin_work, previous.ancestor(made.params.start_height).chain_work)
        previous = chance.choice([block for block in made.blocks if block.chain_work >= least][-8:])
    work = miner.work_on(made.chain, parent, previous, payout, now, ids, chance.randint(0, 1000), branch)
    null_data = b"\x6a\x04" + chance.randbytes(4) if chance.random() < odds.null_data else b""
    work = work.with_share(signals=chance.getrandbits(32), null_data=null_data)
    return made.mine(work, parent, None), ids


def _without(chain, parent, ids, left_out):
    """A list without one id, and without those that need it to be listed."""
    return tuple(
        id_ for id_ in ids if id_ != left_out and chain.nodes[id_].parent.id in (chain.genesis.id, *_branch(parent))
    )


def _branch(link):
    while link is not None:
        yield link.id
        link = link.parent
