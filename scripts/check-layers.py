#!/usr/bin/env python3
"""Check that no folder of src/ includes or links what its layer may not use.

    scripts/check-layers.py [--root DIR]    the tree; exit 1 with one line per bad arrow
    scripts/check-layers.py --self-test     proves that bad arrows are found
    scripts/check-layers.py --table         what each folder may use in the end

An arrow is an #include in src/<folder>/ or in the folder's interface
(include/hotdesk/<folder>.h, include/hotdesk/<folder>/), or a name after LIBS in
src/<folder>/CMakeLists.txt. "May use" is transitive, downwards only.
"""

import argparse
import pathlib
import re
import sys
import tempfile

L2 = ["directory", "settings", "location", "device", "desk", "calls", "plan"]

# folder: (layer, folders it may use, foreign libraries that only it may use)
LAYERS = {
    "base": (0, [], ["sodium", "crypto"]),
    "digest": (1, ["base"], []),
    "event": (1, ["base"], ["event"]),
    "conf": (1, ["base"], ["cyaml", "yaml"]),
    "store": (1, ["base"], ["lmdb"]),
    "xml": (1, ["base"], ["expat"]),
    "directory": (2, ["store"], []),
    "location": (2, ["store", "directory"], []),  # an address-of-record is a phone's id
    "settings": (2, ["store", "directory"], []),
    "device": (2, ["store", "directory"], []),
    "desk": (2, ["directory", "location"], []),
    "calls": (2, ["store"], []),
    "plan": (2, ["directory", "location", "desk", "settings"], []),
    # cares: DNS servers, asked without waiting (Sofia's own resolver has known holes).
    "sip": (3, ["base", "digest", "event"], ["sofia", "ssl", "crypto", "cares"]),
    "media": (3, ["base"], ["srtp"]),
    "template": (3, ["base", "xml"], []),
    "http": (3, ["base", "event"], ["event", "jansson", "ssl", "crypto"]),
    "registrar": (4, ["sip"] + L2, []),
    "proxy": (4, ["sip"] + L2, []),
    "feature": (4, ["sip", "media", "xml"] + L2, []),
    "notify": (4, ["sip", "xml"] + L2, []),
    "upstream": (4, ["sip"] + L2, []),
    "provision": (4, ["digest", "http", "template"] + L2, []),
    "form": (4, ["http", "template"] + L2, []),
    "admin": (4, ["http", "conf"] + L2, []),  # imports what conf reads
    "ctl": (5, ["base"], ["curl", "jansson"]),
}
LAYERS["daemon"] = (5, [f for f in LAYERS if f != "ctl"], ["systemd"])

# (folder, library): the files that may include it, where not the whole folder may.
ONLY_IN = {
    ("sip", "ssl"): r"sofia_\w+\.[ch]",  # stands between Sofia and OpenSSL
    ("sip", "crypto"): r"sofia_\w+\.[ch]",
    ("sip", "cares"): r"dns_\w+\.c",  # the resolver sees records only
    ("http", "ssl"): r"tls\.c",
    ("http", "crypto"): r"tls\.c",
}

# A header of a folder that has no folder of its own in include/hotdesk/.
INTERFACES = {"lmdb.h": "store", "audit.h": "desk", "desk_operation.h": "desk",
              "call.h": "proxy", "callback.h": "plan", "directory_file.h": "conf", "face.h": "device", "own_key.h": "device", "number.h": "plan",
              "render.h": "provision"}
INTERFACES |= {"lamp.h": "notify", "pnp.h": "notify", "settings_event.h": "notify",
               "summary.h": "settings", "summary_event.h": "notify", "user_event.h": "notify",
               "hoteling.h": "feature", "account.h": "settings"}

# How a foreign library is recognised in an #include.
FOREIGN = [
    (r"sofia-sip/.*", "sofia"),
    (r"event2/.*|event\.h|ev(http|dns|rpc|util)\.h", "event"),
    (r"cyaml/.*", "cyaml"),
    (r"yaml\.h", "yaml"),
    (r"lmdb\.h", "lmdb"),
    (r"expat\.h", "expat"),
    (r"jansson\.h", "jansson"),
    (r"sodium(/.*|\.h)", "sodium"),
    (r"openssl/(ssl|tls|x509|pem|bio).*", "ssl"),
    (r"openssl/.*", "crypto"),
    (r"ares\w*\.h", "cares"),
    (r"srtp2/.*", "srtp"),
    (r"curl/.*", "curl"),
    (r"systemd/.*", "systemd"),
    (r"cmocka.*", "cmocka"),
]
# Everywhere: C, POSIX and Linux, and containers that are only a header.
SYSTEM = re.compile(
    r"(sys|netinet|arpa|net|linux)/[a-z0-9_/-]+\.h|ut(hash|list|array|string)\.h|"
    r"(assert|ctype|dirent|dlfcn|endian|errno|fcntl|fts|getopt|grp|ifaddrs|inttypes|limits|"
    r"locale|malloc|math|netdb|poll|pthread|pwd|sched|setjmp|signal|spawn|stdalign|stdarg|"
    r"stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|sysexits|"
    r"link|nmmintrin|syslog|termios|threads|time|unistd|utime|wchar)\.h")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def closure(folder):
    """Every folder that `folder` may use, itself included."""
    seen, todo = set(), [folder]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(LAYERS[name][1])
    return seen


def interface_of(path):
    """The folder whose interface is "hotdesk/<path>", or None."""
    parts = pathlib.PurePosixPath(path).parts
    name = parts[0] if len(parts) > 1 else INTERFACES.get(parts[0], parts[0][:-2])
    return name if name in LAYERS else None


def foreign_of(name):
    for pattern, library in FOREIGN:
        if re.fullmatch(pattern, name):
            return library
    return None


def check_include(root, folder, file, public, kind, name):
    """What is wrong with one #include, or None."""
    if name.startswith("hotdesk/"):
        target = interface_of(name[len("hotdesk/"):])
        if target is None:
            return f"{name} belongs to no folder"
        if not (root / "include" / name).is_file():
            return f"{name} does not exist"
        if target not in closure(folder):
            return f"{folder} (layer {LAYERS[folder][0]}) may not use {target}"
        return None
    if kind == '"':
        if public:
            return f'an interface includes only "hotdesk/...", not "{name}"'
        if "/" in name or not (file.parent / name).is_file():
            return f'"{name}" is not a private header of {folder}'
        return None
    library = foreign_of(name)
    if library:
        if public:
            return f"an interface includes no foreign header: <{name}>"
        if library not in LAYERS[folder][2]:
            return f"{folder} may not use {library}: <{name}>"
        if not re.fullmatch(ONLY_IN.get((folder, library), ".*"), file.name):
            return f"{file.name} may not use {library}: <{name}>"
        return None
    return None if SYSTEM.fullmatch(name) else f"unknown header <{name}>"


def sources(root):
    """(folder, file, is it an interface) of every C file."""
    for file in sorted((root / "include/hotdesk").rglob("*.h")):
        folder = interface_of(file.relative_to(root / "include/hotdesk").as_posix())
        yield folder, file, True
    for file in sorted((root / "src").rglob("*.[ch]")):
        yield file.relative_to(root / "src").parts[0], file, False


def check_links(root):
    for file in sorted((root / "src").glob("*/CMakeLists.txt")):
        folder = file.parent.name
        if folder not in LAYERS:
            continue
        text = re.sub(r"#.*", "", file.read_text())
        for call in re.finditer(r"hd_add_(?:library|program)\s*\(([^)]*)\)", text):
            words = call.group(1).split()
            libs = words[words.index("LIBS") + 1:] if "LIBS" in words else []
            for lib in libs:
                own = lib.removeprefix("hd_")
                base = re.sub(r"_(openssl|pthreads)$", "", lib.removeprefix("hd::"))
                if lib.startswith("hd::") and base not in LAYERS[folder][2]:
                    yield f"{file.relative_to(root)}: {folder} may not link {lib}"
                elif lib.startswith("hd_") and own not in closure(folder):
                    yield f"{file.relative_to(root)}: {folder} may not link {lib}"


def check(root):
    """Every bad arrow of the tree as `file:line: what`."""
    bad = []
    for folder, file, public in sources(root):
        where = file.relative_to(root)
        if folder not in LAYERS:
            bad.append(f"{where}:1: the folder is in no layer (see LAYERS)")
            continue
        text = file.read_text(errors="replace")
        for match in INCLUDE.finditer(text):
            why = check_include(root, folder, file, public, match.group(1), match.group(2))
            if why:
                line = text.count("\n", 0, match.start(2)) + 1
                bad.append(f"{where}:{line}: {why}")
    return bad + list(check_links(root))


SELF_TEST = [
    # file, line, what the report must say (None: nothing)
    ("src/desk/good.c", '#include "hotdesk/store.h"\n#include <string.h>', None),
    ("src/sip/good.c", "#include <sofia-sip/nta.h>", None),
    ("src/sip/sofia_guard.c", "#include <openssl/ssl.h>", None),
    ("src/sip/tls.c", "#include <openssl/ssl.h>", "tls.c may not use ssl"),
    ("src/sip/dns_client.c", "#include <ares.h>", None),
    ("src/sip/resolver.c", "#include <ares.h>", "resolver.c may not use cares"),
    ("src/registrar/good.c", '#include "hotdesk/base/str.h"', None),
    ("src/registrar/good2.c", '#include "registrar_priv.h"', None),
    ("src/registrar/registrar_priv.h", '#include "hotdesk/sip/agent.h"', None),
    ("src/store/up.c", '#include "hotdesk/desk.h"', "store (layer 1) may not use desk"),
    ("src/desk/event.c", '#include "hotdesk/event.h"', "desk (layer 2) may not use event"),
    ("src/desk/lmdb.c", "#include <lmdb.h>", "desk may not use lmdb"),
    ("src/desk/sofia.c", "#  include <sofia-sip/su.h>", "desk may not use sofia"),
    ("src/proxy/side.c", '#include "hotdesk/registrar.h"', "may not use registrar"),
    ("src/proxy/priv.c", '#include "registrar_priv.h"', "not a private header of proxy"),
    ("src/proxy/dots.c", '#include "../registrar/registrar_priv.h"', "not a private header"),
    ("src/proxy/new.c", "#include <glib.h>", "unknown header <glib.h>"),
    ("src/ctl/up.c", '#include "hotdesk/store.h"', "ctl (layer 5) may not use store"),
    ("src/extra/new.c", "#include <string.h>", "in no layer"),
    ("src/calls/CMakeLists.txt", "hd_add_library(calls SOURCES a.c LIBS hd_store hd_sip)",
     "calls may not link hd_sip"),
    ("src/plan/CMakeLists.txt", "hd_add_library(plan SOURCES a.c\n\tLIBS hd_desk hd::lmdb)",
     "plan may not link hd::lmdb"),
    ("include/hotdesk/base/str.h", '#include "hotdesk/store.h"', "base (layer 0) may not"),
    ("include/hotdesk/sip/agent.h", "#include <sofia-sip/su.h>", "no foreign header"),
    ("include/hotdesk/desk.h", '#include "hotdesk/directory.h"', None),
]


def self_test():
    headers = ["base/str.h", "sip/agent.h", "store.h", "desk.h", "event.h", "registrar.h",
               "directory.h"]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in headers:
            path = root / "include/hotdesk" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        for name, text, _ in SELF_TEST:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        found = check(root)
    for name, _, want in SELF_TEST:
        got = [line for line in found if line.startswith(name + ":")]
        good = len(got) == 1 and want in got[0] if want else not got
        if not good:
            print(f"self-test: {name}: expected {want!r}, got {got}", file=sys.stderr)
            failed = 1
    for name in LAYERS:
        upwards = [f for f in closure(name) if f != name and LAYERS[f][0] > LAYERS[name][0]]
        if upwards:
            print(f"self-test: the table has arrows upwards: {name} -> {upwards}",
                  file=sys.stderr)
            failed = 1
    print(f"self-test: {len(SELF_TEST)} cases, {'failed' if failed else 'all as expected'}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    if args.table:
        for name, (layer, _, foreign) in LAYERS.items():
            print(f"{layer} {name:10}", " ".join(sorted(closure(name) - {name})),
                  f"[{' '.join(foreign)}]" if foreign else "")
        return 0
    bad = check(args.root)
    print("\n".join(bad) if bad else "layers: no bad arrow")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
