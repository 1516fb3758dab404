"""What the cases start from, and the file that they are gathered in."""

from dataclasses import replace

from shoal_model import miner
from shoal_model.made_chain import EASY, SCRIPTS, Made
from shoal_model.replayer import replay_lines

# Heights of the links that are the first on a new Bitcoin block.
NEW_BLOCKS = (2, 4, 6, 8, 9, 10, 11, 12)
# Scripts of the shares that each link lists. Many shares of one script make weight without rows: windows up to there
# are bounded by weight, those before by rows.
SHARES = ((1,), (2, 3), (1,), (4, 2), (5,), (6, 1), (7,), (2, 4), (3,) * 5, (1, 5), (2,) * 5, (6, 7), (4,), (3, 1))
# A network whose Bitcoin retargets after eight blocks, each of which takes 65,536 hashes at first.
RETARGET = replace(
    EASY,
    name="retarget",
    pow_limit_bits=0x1F00FFFF,
    retarget_blocks=8,
    retarget_timespan_s=4800,
    min_block_work=1 << 16,
)
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
            made.add(payout=SCRIPTS[number], time=time - 5 + late, link=False).id for late, number in enumerate(payouts)
        ]
        made.add(payout=SCRIPTS[0], time=time, ids=tuple(sorted(shares)), link=True)
    return made


def retarget():
    """A pool that has not begun, one Bitcoin block before a retarget. Blocks came faster than they should."""
    genesis = miner.bitcoin_header(RETARGET, None, TIME)
    params = replace(RETARGET, bitcoin_genesis=miner.double(genesis))
    made = Made(params, genesis)
    for height in range(1, params.retarget_blocks):
        made.block(time=TIME + BLOCKS_APART_S * height)
    return made


SETUPS = {"start": start, "chain": chain, "retarget": retarget}


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
