#!/usr/bin/env python3
"""Check what clang-format does not: sizes, banned functions, names, headers, white space.

    scripts/check-style.py [--root DIR] [--cc CC]   exit 1 with one line per finding
    scripts/check-style.py --sizes                  the longest files and functions
    scripts/check-style.py --self-test              proves that each finding is found

Files are those git tracks (all files where there is no git). Limits: .c file 400 lines
wanted, over 600 its first comment has to give the reason ("600 lines: ..."), 800 fails;
function 40 wanted, 80 fails; header 200 wanted, 300 fails; at most 6 parameters; at most 100 columns, comments too.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

COLUMNS = 100
FILE_WANTED, FILE_REASON, FILE_MAX = 400, 600, 800
FUNCTION_WANTED, FUNCTION_MAX = 40, 80
HEADER_WANTED, HEADER_MAX = 200, 300
PARAMETERS_MAX = 6

# function: what to use instead
BANNED = {
    "strcpy": "hd_str_*", "strcat": "hd_str_*", "strncpy": "hd_str_*", "strncat": "hd_str_*",
    "stpcpy": "hd_str_*", "sprintf": "snprintf", "vsprintf": "vsnprintf", "gets": "getline",
    "strtok": "slices", "atoi": "strtol with checks", "atol": "strtol with checks",
    "atoll": "strtoll with checks", "atof": "strtod with checks", "alloca": "malloc",
    "rand": "libsodium's", "srand": "libsodium's", "random": "libsodium's",
    "tmpnam": "mkstemp", "tempnam": "mkstemp", "mktemp": "mkstemp",
    "localtime": "localtime_r", "gmtime": "gmtime_r", "ctime": "strftime",
    "asctime": "strftime", "longjmp": "goto out", "setjmp": "goto out",
}
# These too, but not in tests.
BANNED_SRC = {
    "system": "nothing: no child processes", "popen": "nothing: no child processes",
    "fork": "nothing: no child processes", "sleep": "a timer", "usleep": "a timer",
    "time": "base/clock.h", "gettimeofday": "base/clock.h", "clock_gettime": "base/clock.h",
}
# file: banned functions it may use
ALLOWED = {"src/base/clock.c": {"time", "gettimeofday", "clock_gettime"}}
# What may have more parameters than that: the pair of bindings and its room stays together.
WIDE = {"hd_location_next": 7}

SECRETS = [
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY" r"-----"), "a private key"),
    (re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bglpat-[\w-]{20}\b"), "a forge token"),
    (re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"), "a Slack token"),
    (re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"), "a JSON web token"),
]
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\bfor n" r"ow\b")
BINARY = re.compile(r"\.(png|jpg|ico|gz|pcap|wav|mdb)$|^tests/fuzz/corpus/|^tests/.*(samples?|torture|golden)/")

TOKENS = re.compile(
    r'(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\')',
    re.S)
CALL = re.compile(r"(?<![\w.>])([a-z_]\w*)\s*\(")
# A declaration or definition that begins in column 0: name, parameters.
PROTOTYPE = re.compile(
    r"^(?!#|typedef|return|else|static_assert|_Static_assert)[A-Za-z_][\w\s*]*?"
    r"\b(\w+)(\((?:[^(){};]|\((?:[^(){};]|\([^(){};]*\))*\))*\))[^;{}]*[;{]", re.M)


def blank(text):
    """The text with comments and strings blanked, line numbers kept."""
    def spaces(match):
        kept = re.sub(r"[^\n]", " ", match.group(0))
        return kept if match.group("comment") else '"' + kept[1:-1] + '"'
    return TOKENS.sub(spaces, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def tracked(root):
    try:
        out = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True,
                             check=True).stdout.decode()
        names = [name for name in out.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [p.relative_to(root).as_posix() for p in root.rglob("*")
                 if p.is_file() and not p.relative_to(root).parts[0].startswith((".git", "build"))]
    return [name for name in sorted(names) if (root / name).is_file()]


def functions(code):
    """(name, first line, lines of the body) of every function of a formatted .c file."""
    name, start = None, 0
    lines = code.split("\n")
    for number, line in enumerate(lines, 1):
        if line == "{":
            head = " ".join(lines[max(0, number - 8):number - 1])
            found = re.findall(r"([A-Za-z_]\w*)\s*\(", re.split(r"[;}]", head)[-1])
            name, start = (found[0] if found else "?"), number
        elif line == "}" and name:
            yield name, start, number - start - 1
            name = None


def check_sizes(name, text, code):
    count = text.count("\n")
    if name.endswith(".h"):
        if count > HEADER_MAX:
            yield 1, f"header of {count} lines (limit {HEADER_MAX})"
        return
    first = TOKENS.search(text)
    if count > FILE_MAX:
        yield 1, f"{count} lines (limit {FILE_MAX})"
    elif count > FILE_REASON and not (first and "600 lines" in first.group(0)):
        yield 1, f'{count} lines and no reason ("600 lines: ...") in the first comment'
    for function, line, length in functions(code):
        if length > FUNCTION_MAX:
            yield line, f"{function}() has {length} lines (limit {FUNCTION_MAX})"


def check_banned(name, code):
    banned = dict(BANNED)
    if name.startswith(("src/", "include/")):
        banned.update(BANNED_SRC)
    for match in CALL.finditer(code):
        word = match.group(1)
        if word in banned and word not in ALLOWED.get(name, ()):
            yield line_of(code, match.start()), f"{word}() is banned: use {banned[word]}"


def parameters(text):
    """How many parameters "(...)" has."""
    depth = count = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        count += char == "," and depth == 1
    return 0 if text[1:-1].strip() in ("", "void") else count + 1


def check_prototypes(name, code):
    for match in PROTOTYPE.finditer(code):
        function, args = match.groups()
        line = line_of(code, match.start())
        count, limit = parameters(args), WIDE.get(function, PARAMETERS_MAX)
        if count > limit:
            yield line, f"{function}() has {count} parameters (limit {limit})"
        if name.startswith("include/") and not function.startswith("hd_"):
            yield line, f"{function}() is part of an interface and not called hd_..."


def check_head(name, text, code):
    first = TOKENS.match(text)
    if not first or pathlib.PurePosixPath(name).name not in first.group(0):
        yield 1, "does not begin with a comment that names the file and its role"
    if name.endswith(".h"):
        guard = re.search(r"^#ifndef (\w+_H)\n#define \1$", code, re.M)
        if not guard or not code.rstrip().endswith("#endif"):
            yield 1, "has no include guard ..._H"


def check_columns(text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line.expandtabs(8)) > COLUMNS:
            yield number, f"{len(line.expandtabs(8))} columns (limit {COLUMNS})"


def check_text(name, text):
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        for pattern, what in SECRETS:
            if pattern.search(line):
                yield number, f"looks like {what}"
        if UNFINISHED.search(line):
            yield number, f"unfinished: {UNFINISHED.search(line).group(0)}"


def check_header(root, name, compiler, flags):
    """Does the header compile alone?"""
    file = root / name
    done = subprocess.run(
        [compiler, "-std=c17", "-D_GNU_SOURCE", "-DHD_VERSION=\"0\"", "-Wall", "-Wextra",
         "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{root}/include", f"-I{root}/src",
         f"-I{root}/tests", *flags, "-include", str(file), "-x", "c", os.devnull],
        capture_output=True, text=True, check=False)
    if done.returncode:
        error = re.search(r"(?:error|warning): (.*)", done.stderr)
        why = error.group(1) if error else done.stderr.strip()
        return f"{name}:1: does not compile alone: {why}"
    return None


def include_flags():
    done = subprocess.run(["pkg-config", "--cflags", "sofia-sip-ua"], capture_output=True,
                          text=True, check=False)
    return [re.sub("^-I", "-isystem", flag) for flag in done.stdout.split()]


def check(root, compiler="cc"):
    """Every finding of the tree as `file:line: what`."""
    names = tracked(root)
    bad = []
    for name in names:
        data = (root / name).read_bytes()
        if BINARY.search(name) or b"\0" in data:
            continue
        text = data.decode(errors="replace")
        found = list(check_text(name, text)) if name != "LICENSE" else []
        if name.endswith((".c", ".h")):
            code = blank(text)
            for more in (check_sizes(name, text, code), check_columns(text),
                         check_banned(name, code), check_prototypes(name, code),
                         check_head(name, text, code)):
                found.extend(more)
        bad.extend(f"{name}:{line}: {what}" for line, what in sorted(found))
    headers = [name for name in names if name.endswith(".h")]
    flags = include_flags()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        alone = pool.map(lambda name: check_header(root, name, compiler, flags), headers)
        bad.extend(why for why in alone if why)
    return bad


def sizes(root):
    files, longest = [], []
    for name in tracked(root):
        if name.endswith((".c", ".h")) and not name.startswith("tests/"):
            text = (root / name).read_text(errors="replace")
            files.append((text.count("\n"), name))
            longest += [(n, f"{name}:{line} {f}()") for f, line, n in functions(blank(text))]
    for what, rows, wanted in (("lines", files, FILE_WANTED),
                               ("lines in a function", longest, FUNCTION_WANTED)):
        rows.sort(reverse=True)
        over = sum(1 for count, name in rows
                   if count > (HEADER_WANTED if name.endswith(".h") else wanted))
        print(f"{what}: {len(rows)}, {over} over what is wanted")
        print("".join(f"{count:6} {name}\n" for count, name in rows[:10]), end="")


GOOD = "/* {0} - does its part. */\n"


def function_of(lines):
    return "static int\nshort_enough(void)\n{\n" + "\tint x;\n" * lines + "}\n"


def self_test_cases():
    """(file, text, what the report must say or None)."""
    head = GOOD.format
    guard = "#ifndef A_H\n#define A_H\n%s#endif\n"
    yield "src/a/good.c", head("good.c") + function_of(80), None
    yield "src/a/words.c", head("words.c") + '/* strcpy() */ const char *hd_s = "gets(";\n', None
    yield "src/a/member.c", head("member.c") + "static int f(void);\nint hd_x = a.time(1);\n", None
    yield "src/base/clock.c", head("clock.c") + "int hd_a(void)\n{\n\treturn time(0);\n}\n", None
    yield "src/a/long.c", head("long.c") + function_of(81), "has 81 lines"
    yield "src/a/big.c", head("big.c") + "\n" * 800, "801 lines (limit"
    yield "src/a/mid.c", head("mid.c") + "\n" * 600, "no reason"
    yield "src/a/mid2.c", "/* mid2.c - over 600 lines: one table. */\n" + "\n" * 600, None
    yield "src/a/banned.c", head("banned.c") + "int hd_a(void)\n{\n\tstrcpy(a, b);\n}\n", "strcpy()"
    yield "src/a/clock.c", head("clock.c") + "int hd_a(void)\n{\n\treturn time(0);\n}\n", "time()"
    yield "tests/t.c", head("t.c") + "static int f(void)\n{\n\treturn time(0);\n}\n", None
    yield "src/a/args.c", head("args.c") + "int hd_f(int a, int b, int c,\n\tint d, int e, int f, " \
        "int g);\n", "7 parameters"
    yield "src/a/args6.c", head("args6.c") + "int hd_f(int a, int (*b)(int, int), int c, int d, " \
        "int e, int f);\n", None
    yield "include/hotdesk/a.h", head("a.h") + guard % "int name(void);\n", "not called hd_"
    yield "src/a/priv.c", head("priv.c") + "int\nname(void)\n{\n}\n", None
    yield "src/a/nohead.c", "int hd_x;\n", "names the file"
    yield "src/a/good.h", head("good.h") + guard % "int hd_x(void);\n", None
    yield "src/a/noguard.h", head("noguard.h") + "int hd_x(void);\n", "include guard"
    yield "src/a/alone.h", head("alone.h") + guard % "int hd_x(size_t n);\n", "compile alone"
    yield "src/a/huge.h", head("huge.h") + guard % ("extern int hd_x;\n" * 300), "header of"
    yield "src/a/wide.c", head("wide.c") + "/*" + "-" * 97 + "*/\n", "101 columns"
    yield "doc.md", "text \n", "white space"
    yield "end.md", "text", "no newline"
    yield "key.yaml", "-----BEGIN RSA PRIVATE KEY" + "-----\n", "private key"
    yield "token.sh", "x=ghp_" + "a" * 36 + "\n", "forge token"
    yield "left.py", "# TO" + "DO: more\n", "unfinished"


def self_test():
    failed = 0
    cases = list(self_test_cases())
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text, _ in cases:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        found = check(root)
    for name, _, want in cases:
        got = [line for line in found if line.startswith(name + ":")]
        good = len(got) == 1 and want in got[0] if want else not got
        if not good:
            print(f"self-test: {name}: expected {want!r}, got {got}", file=sys.stderr)
            failed = 1
    print(f"self-test: {len(cases)} cases, {'failed' if failed else 'all as expected'}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    if args.sizes:
        sizes(args.root)
        return 0
    bad = check(args.root, args.cc)
    print("\n".join(bad) if bad else "style: nothing found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
