#!/usr/bin/env python3
"""What of the essential API is here: docs/names.tsv against the headers.

    make api-coverage              what is missing, the share of what is there, and the two pages written anew
    scripts/api_coverage.py --check    only tells what does not agree; status 1 where something does not

docs/names.tsv has a line for each name: the section, PyTorch's name, how often 86 public repositories of models call it
(0: not counted), wick's names, and, where there are none, what to write instead.  From it come the names in
docs/from-pytorch.md and all of docs/not-there.md.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE, THERE, NOT_THERE = "docs/names.tsv", "docs/from-pytorch.md", "docs/not-there.md"
PYTHON = "Python's own"  # what C has no use for: counted neither as there nor as missing
NAMES = """## The names

What the essential API is here, by kind, the most used first within each. Most functions of each element are there in
place, too. The headers in `include/wick/` are the manual; [not-there.md](not-there.md) has what is missing.
"""
MISSING = """# What is not there

What models use of PyTorch and wick does not have, by kind, the most used first, and what to write instead where a line
or two will do. Everything else is in [from-pytorch.md](from-pytorch.md). Both pages are made from `docs/names.tsv` by
`make api-coverage`.
"""


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def rows():
    lines = read(TABLE).rstrip("\n").split("\n")
    header = lines[0].split("\t")
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(header):
            sys.exit("%s:%d: expected %d cells, got %d" % (TABLE, number, len(header), len(cells)))
        row = dict(zip(header, cells), line=number)
        row["calls"] = int(row["calls"])
        yield row


def declared():
    """Every name that wick.h declares or defines; many functions are made by macros, so the preprocessor is asked."""
    text = subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-Iinclude", "-E", "-dD", "-x", "c",
                           "include/wick.h"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\bwk_\w+", text))


def guess(name):
    """How a name of PyTorch would be spelt here."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return "wk_" + re.sub(r"[^a-z0-9]+", "_", words).strip("_")


def tables(table, columns, cells):
    text, section = "", None
    for row in table:
        if row["section"] != section:
            section = row["section"]
            text += "\n### %s\n\n| %s |\n|%s\n" % (section, " | ".join(columns), "---|" * len(columns))
        text += "| %s |\n" % " | ".join(cells(row))
    return text


def pages(table):
    there = tables([r for r in table if r["wick"]], ["PyTorch", "wick"], lambda r: [r["PyTorch"], r["wick"]])
    head = read(THERE).split(NAMES.split("\n")[0] + "\n")[0]
    missing = tables([r for r in table if not r["wick"] and r["section"] != PYTHON], ["PyTorch", "calls", "instead"],
                     lambda r: [r["PyTorch"], str(r["calls"] or ""), r["instead"]])
    own = tables([r for r in table if not r["wick"] and r["section"] == PYTHON], ["PyTorch", "calls", "instead"],
                 lambda r: [r["PyTorch"], str(r["calls"] or ""), r["instead"]])
    return {THERE: head + NAMES + there,
            NOT_THERE: MISSING + missing.replace("### ", "## ") + own.replace("### ", "## ")}


def main():
    check = "--check" in sys.argv[1:]
    table, names, wrong = list(rows()), declared(), 0
    for row in table:
        for name in re.findall(r"\bwk_\w+", row["wick"] + " " + row["instead"]):
            if name not in names:
                wrong += 1
                print("%s:%d: %s: %s is not in the headers" % (TABLE, row["line"], row["PyTorch"], name))
        if not row["wick"] and not row["instead"]:
            wrong += 1
            print("%s:%d: %s: expected wick's names, or what to write instead" % (TABLE, row["line"], row["PyTorch"]))
        if not row["wick"] and guess(row["PyTorch"]) in names:
            wrong += 1
            print("%s:%d: %s is there now: %s" % (TABLE, row["line"], row["PyTorch"], guess(row["PyTorch"])))
    for path, text in pages(table).items():
        if not check:
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
                file.write(text)
        elif not os.path.exists(os.path.join(ROOT, path)) or read(path) != text:
            wrong += 1
            print("%s is not what %s says: make api-coverage" % (path, TABLE))
    counted = [r for r in table if r["section"] != PYTHON]
    there = [r for r in counted if r["wick"]]
    if not check:
        for row in sorted((r for r in counted if not r["wick"] and r["calls"]), key=lambda r: -r["calls"])[:20]:
            print("%6d  %-40s %s" % (row["calls"], row["PyTorch"], row["instead"].replace("`", "")))
    calls, of = sum(r["calls"] for r in there), sum(r["calls"] for r in counted)
    print("there: %d of %d names, %.1f%% of %d calls" % (len(there), len(counted), 100 * calls / of, of))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
