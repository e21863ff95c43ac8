"""Races wick against this interpreter's PyTorch, row by row, in one run.

Both make the same inputs from the same seed; results are compared before anything is timed; then the two take turns,
and each row's figure is the median of the pairs' ratios (PyTorch's time / wick's: above 1, wick is ahead).  Two threads
each.
Usage: make bench PYTHON=path/to/python   (rows can be named: race.py BUILD "softmax" "linear")
Last line: geomean R.RR worst R.RR NAME
"""
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

THREADS = 2
os.environ["OMP_NUM_THREADS"] = str(THREADS)
import numpy  # noqa: E402
import torch  # noqa: E402

from rows import ROWS  # noqa: E402

torch.set_num_threads(THREADS)
PAIRS = 9
SECONDS = 0.15  # about how long one side's turn takes


class Wick:
    """The other side, a process of its own: its threads do not meet PyTorch's."""

    def __init__(self, build):
        self.program = os.path.join(build, "bench", "wick_bench")
        self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or answer == "unknown":
            sys.exit(f"wick's side gave no answer to {words}")
        return answer


def seconds_per_run(row, count):
    """After one run that is not counted: caches and threads are awake.  The other side does the same."""
    row.run()
    begin = time.perf_counter()
    for _ in range(count):
        row.run()
    return (time.perf_counter() - begin) / count


def count_for(seconds):
    return max(1, min(200000, int(SECONDS / max(seconds, 1e-9))))


def compare(row, wick, folder):
    path = os.path.join(folder, "result")
    wick.ask("result", row.name, path)
    ours = numpy.fromfile(path, dtype=numpy.float32)
    theirs = numpy.concatenate([t.detach().float().reshape(-1).numpy() for t in row.result()])
    if ours.shape != theirs.shape or not numpy.allclose(ours, theirs, rtol=row.tolerance, atol=row.tolerance):
        worst = numpy.abs(ours - theirs).max() if ours.shape == theirs.shape else "shapes differ"
        sys.exit(f"{row.name}: results differ: {worst}")


def race(row, wick, folder):
    torch.manual_seed(0)
    row.setup()
    wick.ask("setup", row.name)
    compare(row, wick, folder)
    theirs, ours = count_for(seconds_per_run(row, 2)), count_for(float(wick.ask("run", row.name, 2)))
    pairs = []
    for _ in range(PAIRS):
        pairs.append((seconds_per_run(row, theirs), float(wick.ask("run", row.name, ours))))
    return pairs


def start_up(wick):
    pairs = []
    for _ in range(3):
        times = []
        for command in ([sys.executable, "-c", "import torch; torch.ones(1) + 1"], [wick.program, "start"]):
            begin = time.perf_counter()
            subprocess.run(command, check=True)
            times.append(time.perf_counter() - begin)
        pairs.append(tuple(times))
    return pairs


def main():
    build, names = sys.argv[1], sys.argv[2:]
    wick = Wick(build)
    ratios = {}
    print(f"PyTorch {torch.__version__} and wick, {THREADS} threads each, medians of {PAIRS} pairs")
    print(f"{'':20}{'PyTorch':>14}{'wick':>14}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ROWS:
            if names and kind.name not in names:
                continue
            report(kind.name, race(kind(), wick, folder), ratios)
    if not names or "start-up" in names:
        report("start-up", start_up(wick), ratios)
    worst = min(ratios, key=ratios.get)
    geomean = math.exp(sum(math.log(r) for r in ratios.values()) / len(ratios))
    print(f"geomean {geomean:.2f} worst {ratios[worst]:.2f} {worst}")


def report(name, pairs, ratios):
    ratios[name] = statistics.median(theirs / ours for theirs, ours in pairs)
    theirs, ours = (statistics.median(side) for side in zip(*pairs))
    print(f"{name:20}{theirs * 1e6:11.2f} us{ours * 1e6:11.2f} us{ratios[name]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
