#!/usr/bin/env python3
"""Changes the model in one small way at a time and asks whether a test vector notices: python3 specs/model/mutants.py
[--sample N] [--seed N] [--only MODULE]. What no vector notices, a second implementation may get wrong unseen.

A mutant has another comparison or operator, a number that is one more or less, a condition that always or never holds,
or one `need` fewer. Each runs in a process of its own (`fork`), for some seconds.
"""

import argparse
import ast
import copy
import importlib.util
import json
import os
import random
import resource
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = "bitcoin chain coinbase encoding header lists payout signals state sum_tree targets window".split()
SECONDS_MAX = 60  # of a processor. All vectors need five; a mutant may never end

COMPARISONS = {
    ast.Lt: [ast.LtE], ast.LtE: [ast.Lt], ast.Gt: [ast.GtE], ast.GtE: [ast.Gt],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn], ast.NotIn: [ast.In],
}  # fmt: skip
OPERATORS = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Add], ast.FloorDiv: [ast.Mult], ast.Mod: [ast.FloorDiv],
    ast.LShift: [ast.RShift], ast.RShift: [ast.LShift], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
}  # fmt: skip


def changes(node):
    """Words and a function for each change of one node; the function changes a copy of it in place."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARISONS[type(node.ops[0])]:
            words = f"{other.__name__} for {type(node.ops[0]).__name__}"
            yield words, lambda at, other=other: setattr(at, "ops", [other()])
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        for other in OPERATORS.get(type(node.op), []):
            yield f"{other.__name__} for {type(node.op).__name__}", lambda at, other=other: setattr(at, "op", other())
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{other.__name__} for {type(node.op).__name__}", lambda at: setattr(at, "op", other())
    if isinstance(node, ast.Constant) and type(node.value) is int:
        for step in (1, -1):
            yield f"{node.value + step} for {node.value}", lambda at, step=step: setattr(at, "value", at.value + step)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "need":
        yield "without this need", lambda at: setattr(at, "value", ast.Constant(None))
    if isinstance(node, ast.If):
        yield "always", lambda at: setattr(at, "test", ast.Constant(True))
        yield "never", lambda at: setattr(at, "test", ast.Constant(False))


def mutants(module):
    """Place, words, and tree of each mutant of a module."""
    source = (HERE / "shoal_model" / f"{module}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        for words, change in changes(node):
            def made(index=index, change=change):
                whole = copy.deepcopy(tree)
                change(next(other for at, other in enumerate(ast.walk(whole)) if at == index))
                return ast.fix_missing_locations(whole)

            yield f"{module}.py:{node.lineno}: {words}: {source.splitlines()[node.lineno - 1].strip()}", module, made


class Loader:
    """Loads one module of the model from a changed tree."""

    def __init__(self, module, tree):
        self.name, self.tree = f"shoal_model.{module}", tree

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self.tree, self.name, "exec"), module.__dict__)


def notices(module, tree, files):
    """Runs the vectors on a mutant, in this process. Anything but the known answers is noticed."""
    sys.meta_path.insert(0, Loader(module, tree))
    try:
        check = importlib.import_module("check")
        for name, content in files:
            for case in content["cases"]:
                check.check_rules(case, content["setups"]) if name == "rules" else check.check_answer(name, case)
    except BaseException:
        return True
    return False


def survives(module, made, files):
    """Whether no vector notices a mutant."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))  # its end counts as noticed
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os._exit(1 if notices(module, made(), files) else 0)
    return os.waitpid(child, 0)[1] == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=MODULES, help="one module")
    args = parser.parse_args()
    sys.path[:0] = [str(HERE), str(HERE.parent / "vectors")]
    vectors = sorted((HERE.parent / "vectors").glob("*.json"), key=lambda file: file.stat().st_size)  # the longest last
    files = [(file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in vectors]
    every = [mutant for module in MODULES if args.only in (None, module) for mutant in mutants(module)]
    chosen = random.Random(args.seed).sample(every, args.sample) if args.sample else every
    missed = 0
    for words, module, made in sorted(chosen, key=lambda mutant: mutant[0]):
        if survives(module, made, files):
            missed += 1
            print(words, flush=True)
    print(f"{len(chosen)} of {len(every)} mutants, {missed} not noticed")


if __name__ == "__main__":
    main()
