"""A COMfortel of the D-series as far as its keys go: runs the Lua code of one, and fetches what that asks for."""

import pathlib
import subprocess
import urllib.parse
import xml.etree.ElementTree as ET

DRIVER = pathlib.Path(__file__).with_name("comfortel.lua")


class Key:
    """
    A key of a configuration, pressed by the test. `screen` is what is shown after that:
    ["menu", title, label...], ["ask", prompt, value, "masked" or "plain", "digits" or "any"], ["show", text] or ["idle"].
    """

    def __init__(self, folder, configuration, label, web, menus=True):
        tree = ET.fromstring(configuration)
        (key,) = [k for k in tree.iter("key") if k.get("label") == label]
        (library,) = [x for x in tree.iter("luaLibrary") if x.get("name") == "hotdesk"]
        (folder / "hotdesk.lua").write_text(library.findtext("code"))
        (folder / "key.lua").write_text(key.findtext("keyConfiguration/lua/code"))
        self.web, self.dialled = web, []
        self.process = subprocess.Popen(
            ["lua5.2", DRIVER, folder / "hotdesk.lua", folder / "key.lua", "menus" if menus else "plain"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.listen()
        assert self.screen == ["idle"]

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=30) == 0

    def say(self, *words):
        self.process.stdin.write(" ".join(w.encode().hex() or "-" for w in words) + "\n")
        self.process.stdin.flush()

    def listen(self):
        self.screen = ["idle"]
        while True:
            line = self.process.stdout.readline()
            assert line, "the code has failed"
            words = [bytes.fromhex(word).decode() for word in line.rstrip("\n").split(" ")]
            if words[0] in ("get", "post"):
                self.fetch(*words)
            elif words[0] == "invite":
                self.dialled.append(words[1])
            elif words[0] == "idle":
                return
            else:
                self.screen = words
                if words[0] != "show":
                    return

    def fetch(self, method, url, content, kind):
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if method == "get":
            reply = self.web.get(target)
        else:
            self.web.request(target, "POST", headers=[f"Content-Type: {kind}", f"Content-Length: {len(content)}"])
            self.web.send(content)
            reply = self.web.read()
        self.say(str(reply.status), reply.body)

    def press(self):
        self.say("press")
        self.listen()
        return self.screen

    def choose(self, begins):
        """The entry of the menu that begins so."""
        (place,) = [i for i, label in enumerate(self.screen[2:], 1) if label.startswith(begins)]
        self.say(str(place))
        self.listen()
        return self.screen

    def enter(self, text):
        assert self.screen[0] == "ask", self.screen
        self.say(text)
        self.listen()
        return self.screen
