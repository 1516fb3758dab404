#!/usr/bin/env python3
"""Mines a made-up chain on a very easy network and writes its recording. See specs/recording.md."""

import argparse
import sys

from shoal_model.made_chain import random_chain
from shoal_model.recording import show_line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another chain")
    parser.add_argument("--proofs", type=int, default=300, help="how many proofs are found")
    options = parser.parse_args()
    made = random_chain(options.seed, options.proofs)
    for value in made.lines + made.claims():
        sys.stdout.write(show_line(value))


if __name__ == "__main__":
    main()
