#!/usr/bin/env python3
"""Run clang-tidy (configuration: .clang-tidy) over src/, in parallel, on what has changed.

    scripts/check-tidy.py BUILD_DIR     a build folder with compile_commands.json

A file that was clean is not looked at again until it, a header of ours that it includes
(directly or not), its compile command, .clang-tidy or clang-tidy itself changes: clean
results are kept by the hash of all these in BUILD_DIR/tidy/. The last line says how many
files were looked at.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

# Paths through one function: a third of clang's 225000, as what lies beyond takes most of the time and finds
# nothing here. .clang-tidy cannot say it.
BOUND = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=75000")]
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def inputs(root, file):
    """The file and every header of ours below it."""
    seen, todo = {}, [file]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen[path] = path.read_bytes()
        for name in INCLUDE.findall(seen[path]):
            for folder in (path.parent, root / "include", root / "src"):
                header = folder / name.decode()
                if header.is_file():
                    todo.append(header.resolve())
                    break
    return seen


def key_of(root, file, common, command):
    digest = hashlib.sha256(common)
    digest.update(command.encode())
    for path, data in sorted(inputs(root, file).items()):
        digest.update(str(path).encode() + b"\0" + data)
    return digest.hexdigest()


def tidy(build, file):
    done = subprocess.run(["clang-tidy", "-quiet", "-p", str(build),
                           "--extra-arg=-Wno-unknown-warning-option",
                           "--extra-arg=-Wno-ignored-optimization-argument",
                           "--extra-arg=-Wno-unused-command-line-argument", *BOUND, str(file)],
                          capture_output=True, text=True, check=False)
    noise = re.compile(r"^(\d+ warnings? .*|Suppressed .*|Use -header-filter.*)$\n?", re.M)
    text = done.stdout + (noise.sub("", done.stderr) if done.returncode else "")
    return done.returncode, text.strip()


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(__file__).resolve().parent.parent
    build = pathlib.Path(sys.argv[1]).resolve()
    cache = build / "tidy"
    cache.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    common = version + " ".join(BOUND).encode() + (root / ".clang-tidy").read_bytes()

    todo, keys, total = [], {}, 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if root / "src" not in file.parents or file in keys or not file.is_file():
            continue
        total += 1
        keys[file] = key_of(root, file, common, entry["command"])
        if not (cache / keys[file]).exists():
            todo.append(file)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, (code, text) in zip(todo, pool.map(lambda f: tidy(build, f), todo)):
            if code:
                failed += 1
                print(text)
            else:
                (cache / keys[file]).touch()
    for old in cache.iterdir():
        if old.name not in keys.values():
            old.unlink()
    print(f"tidy: {total} files, {len(todo)} looked at, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
