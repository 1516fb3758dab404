"""What the cases start from, and the file that they are gathered in."""

from dataclasses import replace

from shoal_model import miner
from shoal_model.made_chain import EASY, SCRIPTS, Made
from shoal_model.replayer import replay_lines

# Heights of the links that are the first on a new Bitcoin block.
NEW_BLOCKS = (2, 4, 6, 8, 9, 10, 11, 12)
# Scripts of the shares that each link lists.
SHARES = ((1,), (2, 3), (1,), (4, 2), (5,), (6, 1), (7,), (2, 4), (3,) * 5, (1, 5), (2,) * 5, (6, 7), (4,), (3, 1))
# One link also lists shares that come too late to earn, so that windows up to the next few links are bounded by proofs;
# others are bounded by weight. Nothing else is paid to the second script.
LATE_AT, LATE_SHARES = 6, (SCRIPTS[3],) * 8 + (SCRIPTS[8],)
# The last shares are not listed yet: two on the tip and one that comes too late to earn.
UNLISTED, UNLISTED_LATE = (SCRIPTS[9], SCRIPTS[2]), SCRIPTS[8]
# Links of the chain signal the first of these, times 0 to 2; its shares signal the second, which does not count.
LINK_SIGNALS, SHARE_SIGNALS = 1 << 30, 4
# A network whose Bitcoin retargets after eight blocks, each of which takes 65,536 hashes at first.
RETARGET = replace(
    EASY,
    name="retarget",
    pow_limit_bits=0x1F00FFFF,
    retarget_blocks=8,
    retarget_timespan_s=4800,
    min_block_work=1 << 16,
)
# The same with easier blocks, for a fork of Bitcoin one block before a retarget, and with outputs enough for all
# scripts.
FORKED = replace(
    RETARGET,
    name="forked",
    pow_limit_bits=0x2000FFFF,
    min_block_work=1 << 10,
    outputs_max=12,
    prefix_bytes_max=740,
)
# A network with testnet4's rules: each period is four times as hard as the one before, and a block that comes late has the
# easiest nBits.
EASING = replace(
    RETARGET,
    name="easing",
    pow_limit_bits=0x207FFFFF,
    min_difficulty_after_s=1200,
    timewarp_s=600,
    min_block_work=1,
)
EASING_HEIGHT, EASING_BLOCK_S = 26, 100
# A network whose pool begins right after Bitcoin's first block, and how many of its links are on each of the first blocks.
# The subsidy halves with the block after these.
EARLY = replace(EASY, name="early", start_height=1, halving_blocks=3)
EARLY_LINKS = (9, 5, 1)
FORKED_LINKS, FORK_HEIGHT, SLOW_BLOCK_S = 16, 6, 700
BLOCKS_APART_S = 400
TIME = 1_800_000_000
LINK_TIME = 10


def start():
    """A pool that has not begun: enough Bitcoin blocks for the first proof."""
    made = Made()
    for _ in range(made.params.start_height + 1):
        made.block()
    return made


def chain():
    """Fourteen links, each on the tip and listing a share or two. The first script has all links, so it earns most."""
    made = start()
    for height, payouts in enumerate(SHARES, 1):
        if height in NEW_BLOCKS:
            made.block()
        time = TIME + LINK_TIME * height
        shares = [
            made.add(payout=SCRIPTS[number], time=time - 5 + late, link=False, signals=SHARE_SIGNALS)
            for late, number in enumerate(payouts)
        ]
        if height == LATE_AT:
            shares += late_shares(made, LATE_SHARES, made.chain.tip.ancestor(1))
        made.add(payout=SCRIPTS[0], time=time, ids=in_order(*shares), link=True, signals=LINK_SIGNALS * (height % 3))
    for payout in UNLISTED:
        made.add(payout=payout, time=time + 1, link=False)
    late_shares(made, (UNLISTED_LATE,), made.chain.tip.ancestor(10))
    return made


def late_shares(made, payouts, parent):
    """Shares on an old link and its Bitcoin block, found now."""
    time = made.chain.tip.time + 1
    return [
        made.add(parent, payout, time + late, link=False, previous=parent.previous)
        for late, payout in enumerate(payouts)
    ]


def forked():
    """Sixteen links, two on each Bitcoin block, on a branch of slow blocks. See `rival_blocks`."""
    genesis_time = TIME - 10 * SLOW_BLOCK_S
    genesis = miner.bitcoin_header(FORKED, None, genesis_time)
    made = Made(replace(FORKED, bitcoin_genesis=miner.double(genesis)), genesis)
    for height in range(1, FORKED.start_height):
        made.block(time=genesis_time + SLOW_BLOCK_S * height)
    for height in range(1, FORKED_LINKS + 1):
        if height > 1 and height % 2:
            made.block(time=made.best_block.time + SLOW_BLOCK_S)
        time = TIME + LINK_TIME * height
        payouts = SHARES[height % len(SHARES)][:2]
        shares = [made.add(payout=SCRIPTS[number], time=time - 5, link=False) for number in payouts]
        made.add(payout=SCRIPTS[0], time=time, ids=in_order(*shares), link=True)
    return made


def rival_blocks(made, blocks):
    """Bitcoin blocks that leave the branch of `forked` before a retarget, which makes them harder. Three of them are
    two blocks below its tip and have more work. Returns the last."""
    block = made.best_block.ancestor(FORK_HEIGHT)
    for _ in range(blocks):
        block = made.block(block, block.median_time() + 1, b"\6" * 32)
    return block


def early():
    """Links on Bitcoin's first three blocks, most of them on the very first."""
    made = Made(EARLY)
    for links in EARLY_LINKS:
        for _ in range(links):
            time = (made.chain.tip.time or TIME) + LINK_TIME
            made.add(payout=SCRIPTS[made.chain.tip.height % len(SCRIPTS)], time=time, ids=(), link=True)
        if made.best_block.height + 1 < len(EARLY_LINKS):
            made.block()
    return made


def in_order(*nodes):
    """The ids of nodes in the order of a list."""
    return tuple(node.id for node in sorted(nodes, key=lambda node: (node.height, node.id)))


def retarget():
    """A pool that has not begun, one Bitcoin block before a retarget. Blocks came faster than they should."""
    genesis = miner.bitcoin_header(RETARGET, None, TIME)
    params = replace(RETARGET, bitcoin_genesis=miner.double(genesis))
    made = Made(params, genesis)
    for height in range(1, params.retarget_blocks):
        made.block(time=TIME + BLOCKS_APART_S * height)
    return made


def easing():
    """A pool that has not begun, in a period whose blocks take 128 hashes. The easiest take two."""
    genesis_time = TIME - EASING_BLOCK_S * (EASING_HEIGHT + 1)
    genesis = miner.bitcoin_header(EASING, None, genesis_time)
    made = Made(replace(EASING, bitcoin_genesis=miner.double(genesis)), genesis)
    for height in range(1, EASING_HEIGHT + 1):
        made.block(time=genesis_time + EASING_BLOCK_S * height)
    return made


def easing_end():
    """The same at the end of that period. Its last block came late, so it has the easiest nBits."""
    made = easing()
    while (made.best_block.height + 2) % EASING.retarget_blocks:
        made.block(time=made.best_block.time + EASING_BLOCK_S)
    made.block(time=made.best_block.time + EASING.min_difficulty_after_s + 1)
    return made


SETUPS = {
    "start": start,
    "chain": chain,
    "retarget": retarget,
    "forked": forked,
    "easing": easing,
    "easing_end": easing_end,
    "early": early,
}


class Book:
    """Setups and cases. A case is a recording: the lines of its setup and then its own, which claim their verdicts."""

    def __init__(self):
        self.setups = {name: make().lines for name, make in SETUPS.items()}
        self.cases = []

    def open(self, setup):
        """A chain in the state that a setup leads to."""
        return Made.of(replay_lines(self.setups[setup]).chain)

    def add(self, rule, name, setup, lines):
        """Adds a case, once the model agrees with all that its lines claim."""
        replay = replay_lines(self.setups[setup] + lines)
        problems = "; ".join(map(str, replay.differences))
        if problems:
            raise AssertionError(f"{rule}, {name}: {problems}")
        if any((case["rule"], case["name"]) == (rule, name) for case in self.cases):
            raise AssertionError(f"there are two cases of {rule} called {name}")
        self.cases.append({"rule": rule, "name": name, "setup": setup, "lines": lines})


def work_on_tip(made, payout=SCRIPTS[3], ids=(), **options):
    """Honest work on the tip, ten seconds after it."""
    tip = made.chain.tip
    time = (tip.time or TIME) + LINK_TIME
    return miner.work_on(made.chain, tip, made.best_block, payout, time, ids, **options)


def mined(made, work, parent=None, link=False):
    """A proof of some work: a share that is no link, or a link."""
    return made.mine(work, parent or made.chain.tip, link)


def line(proof, verdict="valid", ids=None, list_verdict=None):
    """A line of a recording. `proof` may be bytes."""
    data = proof if isinstance(proof, bytes) else proof.encode()
    value = {"proof": data.hex()}
    if ids is not None:
        value["list"] = [id_.hex() for id_ in ids]
    value["verdict"] = verdict
    if list_verdict is not None:
        value["list_verdict"] = list_verdict
    return value


def list_line(id_, ids, list_verdict):
    return {"list_of": id_.hex(), "list": [other.hex() for other in ids], "list_verdict": list_verdict}


def state_line(id_, verdict, list_verdict=None):
    """A claim about how a proof stands at the end."""
    value = {"claim": "proof", "id": id_.hex(), "verdict": verdict}
    if list_verdict is not None:
        value["list_verdict"] = list_verdict
    return value


def tip_line(link):
    return {"claim": "tip", "id": link.id.hex(), "height": link.height, "chain_work": f"{link.chain_work:064x}"}
