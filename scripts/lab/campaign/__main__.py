# SPDX-License-Identifier: ISC
"""One part of the campaign: prints its seed, runs it for the given time, and prints its figures as JSON.
Exit status 1: a violation, with how to try the same again; 77: skipped. In scripts/:

    python3 -B -m lab.campaign kills --seconds 300 --seed 7 --set ways=cgi"""

import argparse
import importlib
import json
import random
import sys
import time

from lab import machine

from . import Unavailable, Violation, again, use_lmdb


def main():
    parser = argparse.ArgumentParser(prog="lab.campaign", description="Runs one part of the campaign.")
    parser.add_argument("part")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[],
                        help="a choice of the part, see its run()")
    parser.add_argument("--lmdb", metavar="DIR", help="with the liblmdb.so.0 of this folder")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    choice = dict(word.split("=", 1) for word in options.set)
    command = again(options.part, options.seconds, seed, choice)
    print(f"{options.part}: seed {seed}, {options.seconds:g} s", flush=True)
    part = importlib.import_module(f"lab.campaign.{options.part}")
    if options.lmdb:
        print(use_lmdb(options.lmdb))
    began = time.monotonic()
    try:
        figures = part.run(options.seconds, seed, **choice)
    except Unavailable as error:
        print(error)
        return 77
    except (Violation, machine.LabError) as error:
        print(f"{error}\nto try the same again: {command}\n{json.dumps(getattr(error, 'figures', {}))}")
        return 1
    print(f"took {time.monotonic() - began:.1f} s\n{json.dumps(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
