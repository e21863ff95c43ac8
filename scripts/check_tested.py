#!/usr/bin/env python3
"""Every public function is called by a test: what wick.h declares, itself or by a macro of the headers that leads to it
(wk_softmax to wk_softmax_with), stands somewhere in tests/; an op's bare name in the op table will do, for its form in
place, too (check_rows.cmake knows which rows there are).  Prints those that do not; status 1 where there are any.

    scripts/check_tested.py
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def words(pattern, *skipped):
    found = set()
    for path in glob.glob(os.path.join(ROOT, pattern), recursive=True):
        if os.path.isfile(path) and not any(part in path for part in skipped):
            with open(path, encoding="utf-8", errors="replace") as file:
                found.update(re.findall(r"\w+", file.read()))
    return found


def preprocessed(*options):
    return subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-Iinclude", "-E", *options, "-x", "c",
                           "include/wick.h"], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def functions():
    """What is declared, without the bodies of what headers define themselves."""
    text = re.sub(r"^#.*$", "", preprocessed("-P"), flags=re.M)
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", ";", text)
    return {m.group(1) for m in re.finditer(r"\b(wk_\w+)\s*\([^;]*?;", text)
            if not re.search(r"\btypedef\b", text[text.rfind(";", 0, m.start()) + 1:m.start()])}


def bodies():
    """Of each macro and each function that headers define, the names in its body; one that is glued together from
    wk_open_##which is all that begin so."""
    found, known = {}, functions()
    text = preprocessed("-P")
    defined = re.findall(r"^#define (\w+)(.*)$", preprocessed("-dD"), flags=re.M)
    defined += re.findall(r"\b(wk_\w+)\([^;{}()]*\)\s*\{((?:[^{}]|\{[^{}]*\})*)\}", text)
    for name, body in defined:
        names = found.setdefault(name, set())
        names.update(re.findall(r"\b(?:wk|WK)_\w+", body))
        for start in re.findall(r"\b(wk_\w+)\s*##", body):
            names.update(other for other in known if other.startswith(start))
    return found


def main():
    tested = words("tests/**/*", "/golden/", "/corpus/")
    ops = words("tests/op_table/*.c") | words("tests/dead_calls.h")
    reached, leads = set(), bodies()
    waiting = [name for name in tested if name[:3] in ("wk_", "WK_")]
    waiting += ["wk_" + word for word in ops] + ["wk_" + word + "_" for word in ops]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += leads.get(name, ())
    missing = sorted(functions() - reached)
    for name in missing:
        print("%s: no test calls it" % name)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
