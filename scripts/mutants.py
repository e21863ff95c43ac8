#!/usr/bin/env python3
"""Whether the tests see a fault: changes one token of src/ at a time, and runs the tests until one fails.

    make mutants                        200 changes, drawn with seed 1
    scripts/mutants.py -n 60 --seed 2   other ones; what has been judged is not judged again
    scripts/mutants.py --again          only those that were alive, on the tree as it is now

It ends with the changes that no test noticed and the share of those that died.  Each deserves a test, or a reason why
it changes nothing: a line of tests/mutants.tsv, whose text before stands once in its file.  Such a change does not
count, nor one that does not compile (a warning is an error), nor one whose objects are the same; a test that hangs has
noticed.  The work is done in a copy of the tree (build-mutants/), built with -O1 and the kernels of one instruction
set.
"""
import argparse
import bisect
import concurrent.futures
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = (".c", ".h", ".def")


# ---------------------------------------------------------------- changes: places in a file, and what to put there


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_of(text):
    """The text with comments, strings and what the preprocessor alone reads blanked, each place where it was."""
    text = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)
    return re.sub(r"^#[ ]*(?!define)\w+[^\n]*$|^#[ ]*define \w+", blank, text, flags=re.M)


TOKENS = {  # what stands there: what may stand there instead
    "<": ["<="], "<=": ["<"], ">": [">="], ">=": [">"], "==": ["!="], "!=": ["=="],
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"], "+=": ["-="], "-=": ["+="], "*=": ["/="],
    "&&": ["||"], "||": ["&&"], "&": ["|"], "|": ["&"], "<<": [">>"], ">>": ["<<"], "++": ["--"],
    "true": ["false"], "false": ["true"],
}
BINARY = re.compile(r"(?<= )(?:<=|>=|==|!=|\+=|-=|\*=|&&|\|\||<<|>>|[<>+\-*/%&|])(?=\s)|\+\+|\b(?:true|false)\b")
WHOLE = re.compile(r"(?<![\w.])\d+(?![\w.])")
REAL = re.compile(r"(?<![\w.])\d+\.\d*(?![\w.])")
STATEMENT = re.compile(r"(?<=[;{})] )(?!\s)[^;{}()=]*[=(][^;{}]*;$|^ +[^;{}\s][^;{}]*;$", re.M)
DECLARATION = re.compile(r"\s*(?:(?:static|const|unsigned|struct|extern|typedef)\b|\w+ \**\w+(?:\[|;| =|,)|return\b)")
CONDITION = re.compile(r"\b(?:if|while) \(")
ARGUMENTS = re.compile(r"(?<=[(,])( ?)([^(),;{}\n]+), ([^(),;{}\n]+)(?=[,)])")


def closing(code, start):
    depth = 0
    for i in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return i
    return None


def changes(text):
    """All changes of a file by kind: {kind: [(start, end, replacement)]}."""
    code, found = code_of(text), {}

    def add(kind, start, end, *replacements):
        for replacement in replacements:
            if replacement != text[start:end]:
                found.setdefault(kind, []).append((start, end, replacement))

    for m in BINARY.finditer(code):
        kind = "relation" if m.group() in ("<", "<=", ">", ">=", "==", "!=") else "operator"
        add(kind, m.start(), m.end(), *TOKENS[m.group()])
    for m in WHOLE.finditer(code):
        value = int(m.group())
        add("number", m.start(), m.end(), *{0: ["1"], 1: ["0", "2"]}.get(value, [str(value - 1), str(value + 1)]))
    for m in REAL.finditer(code):
        add("number", m.start(), m.end(), "1.0" if float(m.group()) == 0 else m.group().rstrip(".") + "1")
    for m in STATEMENT.finditer(code):
        if not DECLARATION.match(m.group()) and m.group().count("(") == m.group().count(")"):
            add("statement", m.start() + len(m.group()) - len(m.group().lstrip()), m.end(), "{}")
    for m in CONDITION.finditer(code):
        end = closing(code, m.end() - 1)
        if end:
            add("condition", m.end(), end, "!(" + text[m.end():end] + ")")
    for m in re.finditer(r"!(?=[\w(])", code):
        add("condition", m.start(), m.end(), "")
    for m in ARGUMENTS.finditer(code):
        first, second = text[m.start(2):m.end(2)], text[m.start(3):m.end(3)]
        if "  " not in m.group() and not re.search(r"\w [\w*]", first + "," + second):  # not a list of parameters
            add("arguments", m.start(2), m.end(3), second + ", " + first)
    return found


def draw(tree, seed):
    """An endless row of changes, the same for the same tree and seed: a file by its size, a kind, a place."""
    source = random.Random(seed)
    files, ends, total = [], [], 0
    for folder, _, names in sorted(os.walk(os.path.join(tree, "src"))):
        for name in sorted(names):
            if name.endswith(SOURCES) and "/cuda" not in folder:
                text = open(os.path.join(folder, name), encoding="utf-8").read()
                found = changes(text)
                if found:
                    total += len(code_of(text).split())
                    files.append((os.path.relpath(os.path.join(folder, name), tree), text, found))
                    ends.append(total)
    seen = set()
    while True:
        path, text, found = files[bisect.bisect(ends, source.randrange(total))]
        start, end, replacement = source.choice(found[source.choice(sorted(found))])
        if (path, start, end, replacement) not in seen:
            seen.add((path, start, end, replacement))
            yield path, text, start, end, replacement


def spread(text, start, end, replacement):
    """Line number, and the lines before and after the change."""
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    before = text[first:last]
    return text.count("\n", 0, start) + 1, before, text[first:start] + replacement + text[end:last]


# ---------------------------------------------------------------- the copy: its build, its tests


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def run(command, folder, seconds=3600):
    """Exit status and output; status None when it took longer."""
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=limits)
    try:
        output = process.communicate(timeout=seconds)[0]
        return process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""


class Copy:
    def __init__(self, work):
        self.work, self.tree = work, os.path.join(work, "tree")
        self.build = os.path.join(self.tree, "build")
        self.source = os.path.join(work, "src")  # as it should be
        self.known = {}  # objects as they should be

    def refresh(self):
        """The files of the tree as they are now; what is the same keeps its time."""
        names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                               capture_output=True, text=True).stdout.split("\n")
        names = {name for name in names if name and os.path.isfile(os.path.join(ROOT, name))}
        for name in names:
            here, there = os.path.join(ROOT, name), os.path.join(self.tree, name)
            content = open(here, "rb").read()
            if not os.path.exists(there) or open(there, "rb").read() != content:
                os.makedirs(os.path.dirname(there), exist_ok=True)
                shutil.copy(here, there)
        for folder, _, files in os.walk(self.tree):
            if not folder.startswith(self.build):
                for file in files:
                    if os.path.relpath(os.path.join(folder, file), self.tree) not in names:
                        os.remove(os.path.join(folder, file))

        shutil.rmtree(self.source, ignore_errors=True)
        shutil.copytree(os.path.join(self.tree, "src"), self.source)

    def restore(self):
        """What a run that was killed has left changed."""
        for folder, _, files in os.walk(self.source):
            for file in files:
                there = os.path.join(self.tree, "src", os.path.relpath(os.path.join(folder, file), self.source))
                if open(there, "rb").read() != open(os.path.join(folder, file), "rb").read():
                    shutil.copyfile(os.path.join(folder, file), there)

    def make(self, *targets):
        return run(["ninja", "-C", self.build, *targets], self.tree)

    def start(self):
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            flags = open("/proc/cpuinfo").read() if os.path.exists("/proc/cpuinfo") else ""
            isa = "avx512" if "avx512bw" in flags else "avx2"
            options = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O1 -g1", "-DWICK_TESTS=ON",
                       "-DWICK_ISAS=" + isa]
            if shutil.which("ccache"):
                options.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
            if shutil.which("ld.gold"):
                options.append("-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=gold")
            status, output = run(["cmake", "-S", ".", "-B", "build", "-G", "Ninja", *options], self.tree)
            if status != 0:
                sys.exit(output)
        status, output = self.make()
        if status != 0:
            sys.exit(output)
        for path in self.objects():
            self.known[path] = self.code(path)
        self.measure()

    def objects(self):
        for folder, _, names in os.walk(os.path.join(self.build, "CMakeFiles")):
            if "/wick_objects.dir" in folder or "/kernels_" in folder:
                for name in names:
                    if name.endswith(".o"):
                        yield os.path.join(folder, name)

    def code(self, path):
        bare = os.path.join(self.work, "bare.o")
        subprocess.run(["objcopy", "-g", path, bare], check=True)
        return hashlib.sha1(open(bare, "rb").read()).hexdigest()

    def measure(self):
        """The tests, and how long each takes; one that fails here is left out."""
        listing = subprocess.run(["ctest", "--test-dir", self.build, "--show-only=json-v1", "-LE", "documents"],
                                 check=True, capture_output=True, text=True).stdout
        self.tests, kept = {}, os.path.join(self.work, "times.json")
        times = json.load(open(kept)) if os.path.exists(kept) else {}
        for test in json.loads(listing)["tests"]:
            name, command = test["name"], test.get("command")
            folder = {p["name"]: p["value"] for p in test.get("properties", [])}.get("WORKING_DIRECTORY", self.build)
            if not command or not command[0].startswith(self.build):
                continue
            if name not in times:
                started = time.monotonic()
                status, output = run(command, folder, 300)
                times[name] = time.monotonic() - started if status == 0 else None
                seconds, what = time.monotonic() - started, "" if status == 0 else "  FAILS: left out"
                print("%8.1f s  %s%s" % (seconds, name, what), flush=True)
                json.dump(times, open(kept, "w"))
            if times[name] is not None:
                self.tests[name] = (command, folder, times[name])

    def mentions(self):
        """{test: what its file says}"""
        said = {}
        for name in self.tests:
            family = name.split("_", 1)[1]
            for file in ("tests/%s.c" % name, "tests/op_table/%s.c" % family):
                if os.path.exists(os.path.join(self.tree, file)):
                    text = open(os.path.join(self.tree, file), encoding="utf-8").read()
                    for header in re.findall(r'^#include "(\w+\.h)"', text, re.M):
                        if os.path.exists(os.path.join(self.tree, "tests", header)):
                            text += open(os.path.join(self.tree, "tests", header), encoding="utf-8").read()
                    said[name] = text
        return said

    def users(self, file, names, kernels):
        """The names of files that call what this one defines, or include it."""
        found = set()
        calls = "|".join(sorted(names) + [r"wk_run\w*\([^;]*\b%s" % kernel for kernel in sorted(kernels)])
        pattern = re.compile(r'"(?:\w+/)*%s"' % re.escape(file) + (r"|\b(?:%s)\b" % calls if calls else ""))
        for folder, _, files in os.walk(self.source):
            for name in files:
                if name != file and pattern.search(open(os.path.join(folder, name), encoding="utf-8").read()):
                    found.add(name.rsplit(".", 1)[0])
        return found

    def order(self, path, killers):
        """Tests, those first that are the likeliest to notice a change of this file."""
        stem = os.path.basename(path).rsplit(".", 1)[0]
        room = path.split("/")[1]
        text = open(os.path.join(self.tree, path), encoding="utf-8").read()
        names = set(re.findall(r"^(?:[\w*]+ )+\**(wk_\w+?)(?:_with)?\(", text, re.M))
        users = self.users(os.path.basename(path), names, set(re.findall(r"^WK_KERNEL\((\w+)", text, re.M)))
        rooms = {"nn": "test_nn test_module", "optim": "test_optim_step test_optim test_scheduler",
                 "data": "test_data test_idx", "vision": "test_vision", "plot": "test_plot", "io": "test_io",
                 "autograd": "test_autograd test_hooks op_unary", "core": "test_memory test_error test_print"}
        hints = {"pointwise": "op_unary op_binary op_activation", "maths": "op_unary test_pointwise",
                 "optimizers": "test_optim test_optim_step", "gemm_tile": "test_gemm", "node": "test_inplace"}
        said = self.mentions()

        def weight(name):
            seconds = self.tests[name][2]
            relevance = 40 * killers.get(path, {}).get(name, 0) + 20 * (name in rooms.get(room, "").split())
            relevance += 100 * (name.split("_", 1)[1] == stem) + 50 * (name.split("_", 1)[1] in users)
            relevance += sum(30 for n in names if re.search(r"\b%s\b" % n, said.get(name, "")))
            relevance += 100 * (name in hints.get(stem, "").split())
            relevance += 20 * any(word in stem.split("_") for word in name.split("_")[1:])
            relevance += 5 * (name.startswith("op_") and room in ("ops", "kernels"))
            return (name.startswith("mirror"), relevance < 100, -(relevance + 1) / (seconds + 1))

        # what lies on the top floor is reached by tests that name it, and by no other
        words = {"nn": "wk_nn_|wk_module|wk_forward|wk_add_|wk_call|wk_parameter|wk_summary",
                 "optim": "wk_optim|wk_lr_", "data": "wk_data|wk_progress|wk_for_each_batch",
                 "io": "wk_safetensors|wk_numpy", "vision": "wk_vision", "plot": "wk_plot"}.get(room, "")
        return sorted((name for name in self.tests if re.search(words, said.get(name, ""))), key=weight)

    def fails(self, name):
        command, folder, seconds = self.tests[name]
        return not self.stopped and run(command, folder, 20 + 10 * seconds)[0] != 0

    def judge(self, path, changed, killers):
        """'same', 'refused', or the test that noticed, or 'alive'."""
        full = os.path.join(self.tree, path)
        original = open(full, encoding="utf-8").read()
        stamp, self.stopped = time.time() - 1, False
        try:
            open(full, "w", encoding="utf-8").write(changed)
            status, _ = self.make("wick_static")
            if status != 0:
                return "refused"
            built = [o for o in self.objects() if os.path.getmtime(o) >= stamp]
            if all(self.code(o) == self.known[o] for o in built):
                return "same"
            order = self.order(path, killers)
            for some in (order[:1], order[1:4], order[4:]):
                programs = sorted({os.path.basename(self.tests[name][0][0]) for name in some})
                if self.make(*programs)[0] != 0:
                    return "build of " + " ".join(programs)
                with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                    for name, failed in zip(some, pool.map(self.fails, some)):
                        if failed:
                            self.stopped = True  # the others end at once
                            return name
            return "alive"
        finally:
            open(full, "w", encoding="utf-8").write(original)


# ---------------------------------------------------------------- the account


def report(results):
    alive = [r for r in results if r["verdict"] == "alive"]
    counted = [r for r in results if r["verdict"] not in ("refused", "same")]
    killed = len(counted) - len(alive)
    print("%d mutants: %d killed, %d alive" % (len(counted), killed, len(alive)))
    for r in alive:
        print("%s:%d: %s\n    -> %s" % (r["path"], r["line"], r["before"].strip(), r["after"].strip()))
    if counted:
        print("%.0f%% killed" % (100 * killed / len(counted)))


def one_line(text):
    return " ".join(text.split())


def harmless():
    """Changes that were read and change no result: path, before, after."""
    with open(os.path.join(ROOT, "tests", "mutants.tsv"), encoding="utf-8") as file:
        return {tuple(line.rstrip("\n").split("\t")[:3]) for line in file}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=200, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", default=os.path.join(ROOT, "build-mutants"), help="where the copy is")
    parser.add_argument("--again", action="store_true", help="judge again those alive, on the tree as it is now")
    parser.add_argument("--list", action="store_true", help="only show what would be changed")
    args = parser.parse_args()
    os.nice(10)
    copy = Copy(os.path.abspath(args.work))
    os.makedirs(copy.tree, exist_ok=True)
    account = os.path.join(copy.work, "seed-%d.json" % args.seed)
    results = json.load(open(account)) if os.path.exists(account) else []
    if args.again or not results:  # else the tree that the changes were drawn from
        copy.refresh()
    copy.restore()
    if args.list:
        for _, change in zip(range(args.n), draw(copy.tree, args.seed)):
            print("%s:%d: %s\n    -> %s" % (change[0], *spread(*change[1:])))
        return
    copy.start()
    killers, read = {}, harmless()
    for r in results:
        killers.setdefault(r["path"], {}).setdefault(r["verdict"], 0)
        killers[r["path"]][r["verdict"]] += 1

    def judge(r, text, start, end, replacement):
        began = time.monotonic()
        known = (r["path"], one_line(r["before"]), one_line(r["after"])) in read
        r["verdict"] = "same" if known else copy.judge(r["path"], text[:start] + replacement + text[end:], killers)
        killers.setdefault(r["path"], {})[r["verdict"]] = 1
        print("%4.0f s  %-24s %s:%d: %s" % (time.monotonic() - began, r["verdict"], r["path"], r["line"],
                                            r["after"].strip()), flush=True)
        json.dump(results, open(account, "w"), indent=1)

    if args.again:
        for r in results:
            text = open(os.path.join(copy.tree, r["path"]), encoding="utf-8").read()
            if r["verdict"] == "alive" and text.count(r["before"] + "\n") >= 1:
                start = text.index(r["before"] + "\n")
                judge(r, text, start, start + len(r["before"]), r["after"])
    else:
        counted = sum(r["verdict"] not in ("refused", "same") for r in results)
        for index, (path, text, start, end, replacement) in enumerate(draw(copy.tree, args.seed)):
            if counted >= args.n:
                break
            if index < len(results):
                continue
            line, before, after = spread(text, start, end, replacement)
            results.append({"path": path, "line": line, "before": before, "after": after})
            judge(results[-1], text, start, end, replacement)
            counted += results[-1]["verdict"] not in ("refused", "same")
    report(results)


if __name__ == "__main__":
    main()
