"""Phones of eleven vendors, as far as hotdeskd meets them: how they ask for their configuration, what they
take from it, which NOTIFY they obey and whether they challenge it. Facts and sources: phones.md 2d, 2e, 3."""

import hashlib
import html
import http.client
import re
import time
import urllib.parse
import xml.etree.ElementTree as ET

from support.sip import DEADLINE, Phone, rand

SUMMARY = "application/simple-message-summary"


class VendorPhone(Phone):
    """One phone: boot() fetches and registers; serve() does what its NOTIFYs ask for."""

    vendor = model = mac = agent = http_agent = None
    files = ["{mac}.cfg"]  # asked for at each fetch, in this order; the last one must be there
    events = ["check-sync;reboot=false"]
    obeyed = staticmethod(lambda notify: True)  # further conditions
    screen = None  # event of the XML documents that it takes
    realm, qop, algorithm = None, True, "MD5"  # of its challenge; None: it does not challenge
    user_at, password_at, label_at = None, None, None  # where they are in its configuration
    habits = []  # further headers of its REGISTER

    def __init__(self, daemon, number=1):
        self.mac = f"{self.mac[:-2]}{number:02x}"
        super().__init__(daemon.address(), f"{self.vendor}-{number}", None, agent=self.agent,
                         domain=daemon.conf["sip"]["domain"])
        self.web = daemon.address("http")
        self.texts, self.fetched, self.notified, self.refused = [], 0, 0, 0
        self.challenge_nonce = None
        daemon.phones.append(self)

    # ---- configuration ------------------------------------------------------------------------------

    def http_get(self, path, expect=(200,)):
        c = http.client.HTTPConnection(*self.web, timeout=DEADLINE)
        agent = self.http_agent.format(mac=self.mac, MAC=self.mac.upper(), colons=self.colons(":"),
                                       dashes=self.colons("-").upper()) if self.http_agent else None
        c.request("GET", path, headers={"User-Agent": agent} if agent else {})
        r = c.getresponse()
        body = r.read().decode()
        c.close()
        assert r.status in expect, f"{self.user}: GET {path}: {r.status}\n{body}"
        return body if r.status == 200 else ""

    def colons(self, sep):
        return sep.join(self.mac[i:i + 2] for i in range(0, 12, 2))

    def names(self):
        return [f.format(mac=self.mac, MAC=self.mac.upper()) for f in self.files]

    def fetch(self):
        *common, own = self.names()
        for name in common:
            self.http_get(self.folder + name, expect=(200, 404))
        self.texts = [self.http_get(self.folder + own)]
        self.fetched += 1

    def value(self, pattern):
        """The newest that the configuration says."""
        for text in reversed(self.texts):
            if m := re.search(pattern, text, re.M | re.S):
                return html.unescape(m.group(1)) if text.lstrip().startswith("<") else m.group(1)
        raise AssertionError(f"{self.user}: no {pattern} in\n{self.texts[-1]}")

    @property
    def label(self):
        return self.value(self.label_at)

    def boot(self, url):
        self.folder = urllib.parse.urlsplit(url).path.rpartition("/")[0] + "/"
        self.fetch()
        assert self.value(self.user_at) == self.user, self.texts[-1]
        self.password = self.value(self.password_at)
        self.register(extra=[(n, v.format(mac=self.mac, MAC=self.mac.upper())) for n, v in self.habits])

    # ---- NOTIFY -------------------------------------------------------------------------------------

    def serve(self, wait=0.0):
        self.pump(wait)
        while self.pump(0):
            pass
        for m in [m for m in self.inbox if m.method in ("NOTIFY", "BYE")]:
            self.inbox.remove(m)
            if not self.is_again(m):  # whose answer was late
                self.taken.add((m.method, m.get("via")))
                self.handle(m)

    def handle(self, m):
        if m.method == "BYE":
            self.reply(m, 200)
        elif self.screen and m.get("event") == self.screen and m.body:
            ET.fromstring(m.body)
            self.reply(m, 200, to_tag=rand(4))
        elif m.get("event") not in self.events or not self.obeyed(m):
            self.refused += 1
            self.reply(m, 489, "Bad Event", to_tag=rand(4))
        elif self.realm and not self.is_proved(m):
            self.challenge_nonce = rand()
            qop = ', qop="auth"' if self.qop else ""
            self.reply(m, 401, "Unauthorized", to_tag=rand(4), extra=[
                ("WWW-Authenticate", f'Digest realm="{self.realm}", nonce="{self.challenge_nonce}", '
                                     f"algorithm={self.algorithm}{qop}")])
        else:
            self.notified += 1
            self.reply(m, 200, to_tag=rand(4))
            self.obey(m)

    def is_proved(self, m):
        p = {k.lower(): a or b for k, a, b in
             re.findall(r'(\w+)=(?:"([^"]*)"|([^", ]+))', m.get("authorization", ""))}
        if not p or p["nonce"] != self.challenge_nonce:
            return False

        def h(text):
            return hashlib.new("sha256" if self.algorithm == "SHA-256" else "md5", text.encode()).hexdigest()
        ha1, ha2 = h(f"{self.user}:{self.realm}:{self.password}"), h(f"NOTIFY:{p['uri']}")
        middle = f"{p['nc']}:{p['cnonce']}:{p['qop']}:" if "qop" in p else ""
        return p["username"] == self.user and p["realm"] == self.realm and p["uri"] == m.ruri and \
            p["response"] == h(f"{ha1}:{p['nonce']}:{middle}{ha2}")

    def obey(self, m):
        self.fetch()


def serve_until(phones, what, condition, timeout=None):
    """Serves all the phones until it holds. @return how long it took"""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < (timeout or 2 * DEADLINE), \
            f"deadline: {what}: {[(p.user, p.label, p.notified, p.refused, p.fetched) for p in phones]}"
        for p in phones:
            p.serve(0.005)
    return time.monotonic() - start


class Auerswald(VendorPhone):
    """Its new keys are in the NOTIFY itself."""
    vendor, model, mac = "auerswald", "comfortel-d-400", "000952000000"
    agent, http_agent = "Auerswald COMfortel D-400 2.2A", None
    files = ["{mac}.xml"]
    events = ["check-sync"]
    user_at, password_at = r"<username>(.*?)</username>", r"<password>(.*?)</password>"
    label_at = r'keyNumber="1" label="([^"]*)"'

    def obey(self, m):
        if m.body:
            assert m.get("content-type") == "application/xml", m
            self.texts.append(m.body.decode())
        else:
            self.fetch()


class Yealink(VendorPhone):
    vendor, model, mac = "yealink", "yealink-t46u", "805e0c1a2b00"
    agent = "Yealink SIP-T46U 108.86.0.40"
    http_agent = "Yealink SIP-T46U 108.86.0.40 {colons}"
    screen = "Yealink-xml"
    files = ["y000000000000.boot", "y000000000108.cfg", "{mac}.cfg"]
    user_at, password_at = r"^account\.1\.auth_name = (.*?)$", r"^account\.1\.password = (.*?)$"
    label_at = r"^linekey\.2\.label = (.*?)$"


class Snom(VendorPhone):
    vendor, model, mac = "snom", "snom-d785", "000413aabb00"
    agent = "snomD785/10.1.84.12"
    http_agent = ("Mozilla/4.0 (compatible; snomD785-SIP 10.1.84.12 2010.12-00004-g9ba52f5 {MAC} "
                  "SXM:0 UXM:0)")
    files = ["snomD785.htm", "{MAC}.xml"]
    user_at, password_at = r"<user_pname[^>]*>(.*?)<", r"<user_pass[^>]*>(.*?)<"
    label_at = r'<fkey idx="1"[^>]* label="([^"]*)"'
    screen = "xml"
    habits = [("X-Serialnumber", "{MAC}")]


class Grandstream(VendorPhone):
    """An old firmware: it challenges whatever its configuration says, and knows no qop."""
    vendor, model, mac = "grandstream", "grandstream-grp2612w", "000b828aa800"
    agent = "Grandstream GRP2612W 1.0.5.67"
    http_agent = "Grandstream Model HW GRP2612W SW 1.0.5.67 DevId {mac}"
    files = ["cfg{mac}.xml"]
    events, realm, qop = ["resync"], "grandstream", False
    user_at, password_at = r"<P36>(.*?)</P36>", r"<P34>(.*?)</P34>"
    label_at = r"<P23002>(.*?)</P23002>"


class Polycom(VendorPhone):
    vendor, model, mac = "polycom", "polycom-vvx-350", "64167f000000"
    agent = "PolycomVVX-VVX_350-UA/5.9.5.0614"
    http_agent = "FileTransport PolycomVVX-VVX_350-UA/5.9.5.0614 Type/Application"
    files = ["{mac}.cfg"]
    events = ["check-sync"]
    obeyed = staticmethod(lambda m: m.get("content-type") == SUMMARY)
    user_at, password_at = r'reg\.1\.auth\.userId="([^"]*)"', r'reg\.1\.auth\.password="([^"]*)"'
    label_at = r'softkey\.1\.label="([^"]*)"'

    def fetch(self):
        super().fetch()
        self.texts.append(self.http_get(self.folder + self.value(r'CONFIG_FILES="([^"]*)"')))
        self.http_get(self.folder + f"{self.mac}-directory.xml", expect=(404,))


class CiscoSpa(VendorPhone):
    vendor, model, mac = "cisco-spa", "cisco-spa508g", "0002fdff2100"
    agent = "Cisco/SPA508G-7.4.4"
    http_agent = "Cisco/SPA508G-7.4.4 ({MAC})(CBT141400UK)"
    files = ["spa508G.cfg", "{mac}.xml"]
    events, realm = ["resync"], "spa508g"
    user_at, password_at = r"<Auth_ID_1_[^>]*>(.*?)<", r"<Password_1_[^>]*>(.*?)<"
    label_at = r"<Short_Name_2_[^>]*>(.*?)<"


class CiscoMpp(CiscoSpa):
    vendor, model, mac = "cisco-mpp", "cisco-cp-8851", "00562b043600"
    agent = "Cisco-CP-8851-3PCC/11.0.1_00562b0436"
    http_agent = "Cisco-CP-8851-3PCC/11.0.1 ({mac})"
    files = ["{mac}.xml"]
    realm, algorithm, screen = "cisco", "SHA-256", "XML-Service"


class Fanvil(VendorPhone):
    vendor, model, mac = "fanvil", "fanvil-x5u", "0c383e557e00"
    agent = "Fanvil X5U-V2 2.12.16.17"
    http_agent = "Fanvil X5U-V2 2.12.16.17 {mac}"
    files = ["f0C00580000.cfg", "{mac}.cfg"]
    events = ["check-sync"]
    user_at, password_at = r"<RegisterUser>(.*?)</", r"<RegisterPswd>(.*?)</"
    label_at = r'<Fkey index="2">.*?<Title>(.*?)</Title>'


class Mitel(VendorPhone):
    """The NOTIFY makes it fetch what `action uri xml sip notify` names: settings, one by one."""
    vendor, model, mac = "mitel", "mitel-6940", "1400e9294c00"
    agent = "Mitel 6940/6.4.0.4006"
    http_agent = "Mitel6940 MAC:{dashes} V:6.4.0.4006-SIP"
    files = ["aastra.cfg", "{MAC}.cfg"]
    events, screen = ["aastra-xml"], "aastra-xml"
    obeyed = staticmethod(lambda m: m.get("content-type") == "application/xml" and not m.body)
    user_at, password_at = r"^sip line1 auth name: (.*?)$", r"^sip line1 password: (.*?)$"
    label_at = r"(?:^prgkey2 label: |<Parameter>prgkey2 label</Parameter><Value>)(.*?)(?:$|</Value>)"

    def obey(self, m):
        url = self.value(r"^action uri xml sip notify: (.*?)$")
        self.texts = self.texts[:1] + [self.http_get(urllib.parse.urlsplit(url).path)]
        self.fetched += 1


class Gigaset(VendorPhone):
    """A handset without keys: what it shows is the name of who is there."""
    vendor, model, mac = "gigaset", "gigaset-n870", "7c2f80e0d600"
    agent = "N870 IP PRO/83.V2.11.0"
    http_agent = "Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;{MAC}"
    files = ["{MAC}.xml"]
    user_at = r'name="SipAccount\.0\.AuthName" value="([^"]*)"'
    password_at = r'name="SipAccount\.0\.AuthPassword" value="([^"]*)"'

    @property
    def label(self):
        shown = self.value(r'name="SipAccount\.0\.DisplayName" value="([^"]*)"')
        return "Login" if shown.startswith("Desk ") else "Logout"


class Generic(VendorPhone):
    vendor, model, mac = "generic", "generic", "001fc1000000"
    agent, http_agent = "Any Phone 1.0", None
    obeyed = staticmethod(lambda m: m.get("content-type") == SUMMARY)
    user_at, password_at = r"^sip_auth_name = (.*?)$", r"^sip_password = (.*?)$"
    label_at = r"^key\.1\.label = (.*?)$"


VENDORS = [Auerswald, Yealink, Snom, Grandstream, Polycom, CiscoSpa, CiscoMpp, Fanvil, Mitel, Gigaset,
           Generic]


def user_of(vendor):
    return f"{301 + VENDORS.index(vendor)}", f"{VENDORS.index(vendor) + 1:02}7159"


def directory(phones_each=2):
    """A user and some phones for each vendor."""
    users = "".join(f'  - {{number: "{n}", name: "User of {v.vendor}", pin: "{pin}", roaming: true}}\n'
                    for v in VENDORS for n, pin in [user_of(v)])
    phones = "".join(f'  - {{id: {v.vendor}-{i}, secret: "secret of {v.vendor}-{i}", label: Desk {v.vendor} {i}, '
                     f'mac: "{v.mac[:-2]}{i:02x}", model: {v.model}}}\n'
                     for v in VENDORS for i in range(1, phones_each + 1))
    return f"users:\n{users}phones:\n{phones}"
