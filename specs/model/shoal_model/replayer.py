"""Plays a recording and compares what it claims with what the rules say."""

from dataclasses import asdict, dataclass
from typing import Optional

from . import recording
from .base import BadBase, Base
from .bitcoin import BadHeader, Headers
from .chain import Chain
from .encoding import decode_proof
from .node import COMPLETE, VOID
from .recording import BadRecording, check
from .sha256 import double
from .verdict import Broken, Held, Unlistable


@dataclass(frozen=True)
class Difference:
    """Something that a recording says and the rules do not."""

    line: int
    what: str  # 'verdict', 'list_verdict', 'header', or a claim and its field
    id: Optional[str]  # of the proof, link or header
    expected: str  # by the recording
    computed: str  # by the rules
    detail: str = ""

    @property
    def rule(self):
        return self.computed if self.computed.startswith("SC-") else None

    def __str__(self):
        about = f" of {self.id}" if self.id else ""
        detail = f" ({self.detail})" if self.detail else ""
        return f"line {self.line}: {self.what}{about}: recorded {self.expected}, computed {self.computed}{detail}"

    def show(self):
        return {**asdict(self), "rule": self.rule}


class Replay:
    """The state after some lines of a recording."""

    def __init__(self, start):
        try:
            headers = Headers(start.params, start.height, start.chain_work, start.headers)
        except BadHeader as problem:
            raise BadRecording(f"root: {problem}") from None
        self.chain = Chain(start.params, headers)
        self.differences = []
        self.counts = {"lines": 1, "headers": 0, "proofs": 0, "lists": 0, "claims": 0}
        self._due = []  # what must be valid or complete at the end
        self._base = None  # a pruned node's base, while it is read
        self._is_empty = True  # before the first proof, list or claim
        self.unverified = None  # what a pruned node's recording does not show

    # --- Lines ---

    def play(self, line):
        """Plays a line; `said` below are its fields."""
        self.counts["lines"] += 1
        if line.kind in recording.BASE:
            self._play_base_line(line.kind, line.fields)
            return
        begun = line.kind not in ("header", "now") and self._base is not None
        check(not begun, "comes before the end of the base")
        self._is_empty &= line.kind in ("header", "now")
        getattr(self, "_play_" + line.kind.replace(" ", "_"))(line.number, line.fields)

    def _play_base_line(self, kind, said):
        """A line of what a pruned node's recording begins with. It is all there, or the file is no recording."""
        check(self._is_empty, "the base stands before all proofs, and once")
        try:
            if kind == "begins":
                check(self._base is None, "the base begins twice")
                self._base = Base(self.chain, said["begins"])
                return
            check(self._base is not None, "comes before the line with `begins`")
            if kind == "base_link":
                self._base.link(said["base_link"], said.get("list"))
            elif kind == "base_rows":
                self._base.rows(said["base_rows"])
            else:
                self._base.end(said["base"])
                self.unverified = {"below": self._base.below.height + 1, "by_roots_up_to": said["base"]}
                self._base, self._is_empty = None, False
        except (BadBase, Broken) as problem:
            raise BadRecording(str(problem)) from None

    def _play_now(self, _number, said):
        self.chain.set_clock(said["now"])

    def _play_header(self, number, said):
        self.counts["headers"] += 1
        hash_, claimed = double(said["header"]), said.get("verdict")
        try:
            found, detail = ("valid" if self.chain.add_header(said["header"]) else "held"), ""
        except BadHeader as problem:
            found, detail = "invalid", str(problem)
        if claimed is None and found == "held":
            self._due.append((number, "header", hash_))
        else:
            self._compare(number, "header", hash_, claimed or "valid", found, detail)

    def _play_proof(self, number, said):
        self.counts["proofs"] += 1
        claimed = said.get("verdict")
        id_, found, detail = self._insert(said["proof"])
        if claimed is None and found in ("held", "known"):
            self._due.append((number, "verdict", id_))
        else:
            self._compare(number, "verdict", id_, claimed or "valid", found, detail)
        if "list" in said:
            self._list(number, id_, said["list"], said.get("list_verdict"))

    def _insert(self, data):
        """Id, verdict and detail of a proof. Without an id if it does not decode."""
        try:
            id_ = decode_proof(data).id
        except Broken as broken:
            return None, broken.rule, broken.detail
        known = id_ in self.chain.nodes
        try:
            self.chain.insert(data)
        except (Broken, Held, Unlistable) as reason:
            return (id_,) + name_of(reason)
        return id_, "known" if known else "valid", ""

    def _play_list_of(self, number, said):
        self._list(number, said["list_of"], said["list"], said.get("list_verdict"))

    def _list(self, number, id_, ids, claimed):
        self.counts["lists"] += 1
        try:
            if id_ is not None:
                self.chain.insert_list(id_, ids)
            found, detail = self.list_state(id_)
        except Broken as broken:
            found, detail = broken.rule, broken.detail
        if claimed is None and found in ("held", "ignored"):
            self._due.append((number, "list_verdict", id_))
        else:
            self._compare(number, "list_verdict", id_, claimed or "complete", found, detail)

    # --- State ---

    def proof_state(self, id_):
        """Verdict and detail of an id as it stands."""
        if id_ in self.chain.nodes:
            return "valid", ""
        if id_ in self.chain.invalid:
            return self.chain.invalid[id_], ""
        if id_ in self.chain.held:
            return "held", "something that it needs is missing"
        return "unlistable", "not known, or not kept"

    def list_state(self, id_):
        """Verdict and detail of a link's list as it stands."""
        node = self.chain.nodes.get(id_)
        no_link = node is not None and not node.is_link
        if id_ is None or id_ in self.chain.invalid or node is self.chain.genesis or no_link:
            return "ignored", "no valid link"
        if node is None:
            return "held", "the proof is not valid yet"
        if node.state == VOID:
            return node.void_rule.rule, node.void_rule.detail
        return ("complete", "") if node.state == COMPLETE else ("held", "a listed proof or an earlier list is missing")

    # --- Claims ---

    def _compare(self, number, what, id_, expected, computed, detail=""):
        if expected != computed:
            shown = id_.hex() if id_ else None
            self.differences.append(Difference(number, what, shown, str(expected), str(computed), detail))

    def _play_claim_tip(self, number, said):
        self.counts["claims"] += 1
        id_, tip = said["id"], self.chain.tip
        claimed = self.chain.nodes.get(id_)
        # SC-501 leaves ties to the order of arrival and to policy: any complete link with the most work will do.
        if claimed is None or claimed.state != COMPLETE or claimed.chain_work != tip.chain_work:
            self._compare(number, "tip", id_, id_.hex(), tip.id.hex(), self.list_state(id_)[1])
            return
        self._compare(number, "height", id_, said["height"], claimed.height)
        self._compare(number, "chain_work", id_, f"{said['chain_work']:064x}", f"{claimed.chain_work:064x}")

    def _complete_link(self, number, what, id_):
        """The link that a claim is about; None, and a difference, if it is not complete."""
        link = self.chain.nodes.get(id_)
        if link is not None and link.state == COMPLETE:
            return link
        state = self.proof_state(id_)[0]
        self._compare(number, what, id_, "complete", state if state != "valid" else self.list_state(id_)[0])
        return None

    def _play_claim_link(self, number, said):
        self.counts["claims"] += 1
        link = self._complete_link(number, "link", said["id"])
        if link is not None:
            self._compare(number, "link height", link.id, said["height"], link.height)
            self._compare_rows(number, "row", link.id, said["rows"], table(link.rows))

    def _play_claim_window(self, number, said):
        self.counts["claims"] += 1
        link = self._complete_link(number, "window", said["snapshot"])
        if link is None:
            return
        window = self.chain.window(link)
        for name in ("oldest", "newest", "proofs", "total"):
            self._compare(number, f"window {name}", link.id, said[name], getattr(window, name))
        self._compare_rows(number, "window sum", link.id, said["sums"], table(window.sums))

    def _previous(self, number, what, hash_):
        """The Bitcoin header that a claim builds on; None, and a difference, if it is not known."""
        previous = self.chain.headers.get(hash_)
        if previous is None:
            self._compare(number, what, hash_, "header", "held")
        return previous

    def _play_claim_outputs(self, number, said):
        self.counts["claims"] += 1
        parent = self.chain.nodes.get(said["parent"])
        if parent is None or not parent.is_link:
            self._compare(number, "outputs", said["parent"], "link", "no valid link")
            return
        place = parent.position(self.chain.params)
        anchor = self._complete_link(number, "outputs", place.anchor.id)
        previous = self._previous(number, "outputs", said["previous_block"])
        if anchor is not None and previous is not None:
            paid = self.chain.payouts(place, previous, said["payout"], said["coinbase_value"])
            self._compare_rows(number, "output", parent.id, said["outputs"], paid)

    def _play_claim_state(self, number, said):
        self.counts["claims"] += 1
        parent = self._complete_link(number, "state", said["parent"])
        previous = self._previous(number, "state", said["previous_block"])
        if parent is None or previous is None:
            return
        try:
            root = self.chain.state_root_for(parent, previous, said["list"]).hex()
        except (Broken, Held) as reason:
            root = name_of(reason)[0]
        self._compare(number, "state root", parent.id, said["state_root"].hex(), root)

    def _play_claim_proof(self, number, said):
        self.counts["claims"] += 1
        self._compare(number, "verdict", said["id"], said["verdict"], *self.proof_state(said["id"]))
        if "list_verdict" in said:
            self._compare(number, "list_verdict", said["id"], said["list_verdict"], *self.list_state(said["id"]))

    def _compare_rows(self, number, what, id_, claimed, computed):
        """Tells the first row that differs."""
        for index, pair in enumerate(zip(claimed, computed)):
            if pair[0] != pair[1]:
                self._compare(number, f"{what} {index}", id_, *map(show_row, pair))
                return
        self._compare(number, f"number of {what}s", id_, len(claimed), len(computed))

    def finish(self):
        """Looks once more at what had to wait: what carries no verdict must have become valid or complete."""
        check(self._base is None, "the base does not end")
        for number, what, id_ in self._due:
            if what == "header":
                known = self.chain.headers.get(id_) is not None
                self._compare(number, what, id_, "valid", "valid" if known else "held", "its previous one is missing")
            elif what == "verdict":
                self._compare(number, what, id_, "valid", *self.proof_state(id_))
            else:
                found, detail = self.list_state(id_)
                self._compare(number, what, id_, "complete", "complete" if found == "ignored" else found, detail)
        self.differences.sort(key=lambda difference: difference.line)

    def summary(self):
        chain = self.chain
        return {
            "network": chain.params.name,
            "consensus_id": chain.params.consensus_id.hex(),
            **self.counts,
            "valid": len(chain.nodes) - 1,
            "links": sum(node.is_link for node in chain.nodes.values()) - 1,
            "held": len(chain.held),
            "invalid": len(chain.invalid),
            "tip": chain.tip.id.hex(),
            "height": chain.tip.height,
            "chain_work": f"{chain.tip.chain_work:064x}",
            "unverified": self.unverified,
            "differences": [difference.show() for difference in self.differences],
        }


def name_of(reason):
    """Verdict and detail of what a judgment raised."""
    if isinstance(reason, Broken):
        return reason.rule, reason.detail
    if isinstance(reason, Held):
        return "held", f"waits for {reason}"
    return "unlistable", str(reason)


def table(rows):
    """Rows as a recording writes them: (script, weight, proofs), by script."""
    return [(script, weight, proofs) for script, (weight, proofs) in sorted(rows.items())]


def show_row(row):
    return " ".join(cell.hex() if isinstance(cell, bytes) else str(cell) for cell in row)


def replay_lines(values, progress=None):
    """Plays JSON objects, the first line first. Raises `BadRecording` with the number of the line."""
    replay = None
    number = 0
    for number, value in enumerate(values, 1):
        try:
            if replay is None:
                replay = Replay(recording.read_start(value))
            else:
                replay.play(recording.read_line(number, value))
        except BadRecording as problem:
            raise BadRecording(f"line {number}: {problem}") from None
        if progress:
            progress(number)
    if replay is None:
        raise BadRecording("the recording is empty")
    replay.finish()
    return replay


def replay_file(path, progress=None):
    """Plays a file, line by line."""

    def values():
        with open(path, "rb") as file:
            number = 0
            while True:
                data = file.readline(recording.LINE_BYTES_MAX + 1)
                if not data:
                    return
                number += 1
                try:
                    check(data.endswith(b"\n"), "does not end with a line feed")
                    yield recording.parse_line(data)
                except BadRecording as problem:
                    raise BadRecording(f"line {number}: {problem}") from None

    return replay_lines(values(), progress)
