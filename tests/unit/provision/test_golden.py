"""What phones of every vendor get, against golden files; XML by a real parser, lines one by one.

The golden files are golden/VENDOR.STATE.KIND. After a change that is meant:

    scripts/golden      writes them anew; look at the difference before it is committed
"""

import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

SOURCE = pathlib.Path(os.environ["HD_SOURCE"])
BUILD = pathlib.Path(os.environ["HD_BUILD"])
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
# Vendors whose file is lines, with the form of each.
LINES = {
    "yealink.main": re.compile(r"(#!version:1\.0\.0\.1|[a-z0-9_.]+ = .*|)"),
    "mitel.main": re.compile(r"(# hotdeskd|[a-z0-9 -]+: .*)"),
    "generic.main": re.compile(r"(# .*|[a-z0-9_.]+ = .*)"),
}


def render(folder, *args):
    folder.mkdir()
    subprocess.run([BUILD / "tests/render_all", SOURCE / "conf/provision", folder, *args], check=True)
    return {f.name: f.read_text() for f in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return render(tmp_path_factory.mktemp("golden") / "plain")


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    return render(tmp_path_factory.mktemp("golden") / "nasty", "nasty")


def kind_of(name):
    """"yealink.main" of "yealink.free.main"."""
    vendor, _, kind = name.split(".")
    return f"{vendor}.{kind}"


def test_golden(plain):
    """Every byte is one that somebody has looked at."""
    if os.environ.get("HD_GOLDEN_WRITE"):
        GOLDEN.mkdir(exist_ok=True)
        for file in GOLDEN.iterdir():
            file.unlink()
        for name, text in plain.items():
            (GOLDEN / name).write_text(text)
    golden = {f.name: f.read_text() for f in sorted(GOLDEN.iterdir())}
    assert list(plain) == list(golden)
    for name, text in plain.items():
        assert text == golden[name], f"{name} differs: scripts/golden after a change that is meant"


def shape(element):
    """The tree without its texts."""
    return [element.tag, sorted(element.attrib), [shape(e) for e in element]]


def test_xml(plain, nasty):
    """A real parser takes each, and no name changes the shape of a file."""
    parsed = 0
    for name, text in plain.items():
        if kind_of(name) in LINES:
            continue
        trees = [ElementTree.fromstring(t.encode()) for t in (text, nasty[name])]
        assert shape(trees[0]) == shape(trees[1]), name
        parsed += 1
    assert parsed == 3 * (11 - len(LINES) + 3)


def test_lines(plain, nasty):
    """Each line has its form, and no name adds one."""
    for name, text in plain.items():
        form = LINES.get(kind_of(name))
        if not form:
            continue
        for other in (text, nasty[name]):
            lines = other.split("\n")
            assert lines.pop() == ""
            for line in lines:
                assert form.fullmatch(line), f"{name}: {line}"
            keys = [re.split(" = |: ", line)[0] for line in lines]
            assert keys == [re.split(" = |: ", line)[0] for line in text.splitlines()], name
            # splitlines() also ends lines where a phone might: NEL, form feed, U+2028.
            assert other.splitlines() == lines, name


def texts_of(text):
    """Every text and attribute of an XML file."""
    for element in ElementTree.fromstring(text.encode()).iter():
        yield element.text or ""
        yield from element.attrib.values()


def test_names_arrive(nasty):
    """What is escaped is the same again once a phone has read it."""
    user = "\"><x a='&{{account.secret}};=ä😀"
    for name, text in nasty.items():
        vendor, state, kind = name.split(".")
        if kind == "index" or state != "occupied" or (vendor, kind) == ("auerswald", "patch"):
            continue
        want = user
        if vendor == "fanvil":
            want = want.replace("&", " ")
        if vendor.startswith("cisco"):
            want = want.replace(";", " ")
        values = [line.split(" = " if vendor != "mitel" else ": ", 1)[-1] for line in text.splitlines()] \
            if kind_of(name) in LINES else list(texts_of(text))
        assert want in values, name
        assert "{{" not in text.replace("{{account.secret}}", ""), name


def test_no_name_becomes_syntax(plain, nasty):
    """Inside a value, too, vendors have a syntax: a name or URI adds nothing to it."""
    cisco = re.compile(r"|fnc=sd;ext=[^;]+;nme=[^;]*|fnc=sd\+blf(\+cp)?;sub=[^;]+;nme=[^;]*")
    snom = re.compile(r"none|line|speed \S+|blf \S+|blf [^|]+\|\*(770|8)|url \S+")
    fanvil = re.compile(r"|SIP1|[^&@]+(@else\.example\S*)?@1/(f|ba(\*8[^&@/:]+)?)|https://\S+")
    for texts in (plain, nasty):
        for name, text in texts.items():
            vendor = name.split(".")[0]
            if kind_of(name) in LINES or vendor not in ("cisco-spa", "cisco-mpp", "snom", "fanvil"):
                continue
            tree = ElementTree.fromstring(text.encode())
            values = [(form, e.text or "") for e in tree.iter() for form, tag in
                      ((cisco, "Extended_Function_"), (snom, "fkey"), (fanvil, "Value")) if e.tag.startswith(tag)]
            assert len(values) > 4, name
            for form, value in values:
                assert form.fullmatch(value), f"{name}: {value}"


def test_pickup(plain):
    """A BLF key says what is dialled when it flashes; the Login key and speed dials do not."""
    texts = values_by_vendor(plain, "occupied")
    for vendor, want in {"yealink": "linekey.5.extension = *8\nlinekey.5.pickup_value = *8\n",
                         "snom": ">blf sip:202@hotdesk.example|*8</fkey>", "fanvil": ">202@1/ba*8202<",
                         "grandstream": "<P1347>*8</P1347>", "mitel": "directed call pickup prefix: *8\n",
                         "polycom": 'call.directedCallPickupString="*8"',
                         "cisco-spa": '<Attendant_Console_Call_Pickup_Code ua="na">*8<',
                         "cisco-mpp": '<Attendant_Console_Call_Pickup_Code ua="na">*8<',
                         "generic": "key.5.pickup = *8202\n"}.items():
        assert want in texts[vendor], vendor
    assert len(re.findall(r"(?m)extension = \*8$", texts["yealink"])) == 1
    assert "ba*8*7" not in texts["fanvil"] and "|*8*7" not in texts["snom"]


def values_by_vendor(texts, state):
    return {name.split(".")[0]: text for name, text in texts.items() if name.split(".")[1] == state
            and name.endswith("main")}


def test_states(plain):
    """The Login key is Login, then Logout in the user's language, then the owner's."""
    words = {"free": "Login", "occupied": "Abmelden", "closed": "Clara Müller: Login"}
    for state, word in words.items():
        for vendor, text in values_by_vendor(plain, state).items():
            if vendor == "gigaset":
                continue  # no keys
            assert word in text, (vendor, state)
            for other in set(words.values()) - {word}:
                if other not in word:
                    assert other not in text, (vendor, state, other)


def test_keys_go(plain):
    """The user's keys are there while the user is, and their places are stated empty before."""
    for vendor, text in values_by_vendor(plain, "occupied").items():
        if vendor != "gigaset":
            assert "Ben" in text and "300" in text, vendor
    for vendor, text in values_by_vendor(plain, "free").items():
        assert "Ben" not in text, vendor
    assert "linekey.5.type = 0\nlinekey.5.line = %NULL%\nlinekey.5.value = %NULL%" in \
        values_by_vendor(plain, "free")["yealink"]


def test_secret(plain):
    """The SIP secret arrives as it is; a patch has none."""
    secret = "s3cret&\"<'=;#"
    for name, text in plain.items():
        vendor, _, kind = name.split(".")
        values = [line.split(" = " if vendor != "mitel" else ": ", 1)[-1] for line in text.splitlines()] \
            if kind_of(name) in LINES else list(texts_of(text))
        if kind == "main":
            assert secret in values, name
        else:
            assert "s3cret" not in text, name
