"""Rows REG-..: the registrar of RFC 3261 10, each row as an outsider sees it."""

import re
import time

import pytest

from credentials import pick, request
from plant import fetch, plant
from steps import no_more, refuse
from support.sip import SDP, digest, rand
from support.wire import ping

row = pytest.mark.row

BOUNDS = {"expires_min_s": 60, "expires_max_s": 7200, "expires_default_s": 3600}


@pytest.fixture(scope="module")
def d():
    with plant({"registrar": BOUNDS}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def many():
    """As many contacts as the location service holds."""
    with plant({"registrar": {**BOUNDS, "contacts_max": 8}}) as daemon:
        yield daemon


@pytest.fixture(params=["one contact", "many contacts"])
def each(request):
    """Both kinds, for rows that hold with one contact as with several."""
    return request.getfixturevalue("d" if request.param == "one contact" else "many")


def uri(contact):
    return re.search(r"<([^>]*)>", contact).group(1)


def seconds(contact):
    (value,) = re.findall(r";expires=(\d+)", re.sub(r'"[^"]*"', "", contact))
    return int(value)


def bound(phone):
    """The URIs that its address-of-record has, by a REGISTER without Contact."""
    return sorted(uri(c) for c in fetch(phone))


def listed(answer):
    return sorted(uri(c) for c in answer.all("contact"))


def at(phone, user=None, more=""):
    return f"<sip:{user or phone.user}@{phone.host}:{phone.port}{more}>"


def fresh(phone, **more):
    """Credentials for one REGISTER, over a nonce that nobody used."""
    line = f"sip:{phone.domain}"
    return ("Authorization", digest(pick(request(phone)), "REGISTER", line, phone.user, phone.password, **more))


def register(phone, contacts=(), expires=None, to=None, sender=None, line=None, extra=(), cseq=None,
             call_id=None, branch=None, body=b"", credentials=None):
    """One REGISTER with the right credentials in the first attempt; the final answer."""
    line = line or f"sip:{phone.domain}"
    if cseq is None:
        phone.cseq += 1
        cseq = phone.cseq
    own = f"<sip:{phone.user}@{phone.domain}>"
    call_id = call_id or phone.call_id
    headers = [("Via", phone.via(branch)), ("Max-Forwards", "70"), ("From", f"{sender or own};tag={rand(4)}"),
               ("To", to or own), ("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER")]
    headers += [("Contact", c) for c in ([contacts] if isinstance(contacts, str) else contacts)]
    headers += [("Expires", str(expires))] if expires is not None else []
    headers += list(extra) + [credentials or fresh(phone)]
    phone.send(f"REGISTER {line} SIP/2.0", headers, body)
    return phone.final("REGISTER", call_id, cseq)


def expect(status, answer):
    wanted = status if isinstance(status, (tuple, range)) else (status,)
    assert answer.status in wanted, f"expected {status}, got\n{answer}"
    return answer


# ---- adding, fetching, removing ---------------------------------------------------------------------


@row("REG-01")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_200_has_the_contact_and_its_expiry(each, transport):
    a = each.phone(transport=transport)
    answer = expect(200, register(a, f"{a.contact};expires=600"))
    (contact,) = answer.all("contact")
    assert uri(contact) == uri(a.contact) and seconds(contact) == 600, contact
    assert answer.get("call-id") == a.call_id and answer.get("cseq") == f"{a.cseq} REGISTER"
    assert answer.tag("to") and answer.tag("from") == a.sent.tag("from")
    assert answer.all("via")[0].split(";")[0] == a.sent.get("via").split(";")[0]


@row("REG-02")
@pytest.mark.parametrize("expiry", [None, 0, 1, 100])
def test_fetch_changes_nothing(each, expiry):
    a = each.phone()
    expect(200, register(a, [], expiry))
    assert fetch(a) == []
    expect(200, register(a, f"{a.contact};q=0.3", 600))
    first, second = (expect(200, register(a, [], expiry)) for _ in range(2))
    for answer in (first, second):
        (contact,) = answer.all("contact")
        assert uri(contact) == uri(a.contact) and 595 <= seconds(contact) <= 600 and ";q=0.3" in contact


@row("REG-03")
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_expires_0_removes_that_binding(many, how):
    a = many.phone()
    expect(200, register(a, [at(a), at(a, "second")], 600))
    answer = register(a, f"{at(a)};expires=0", 600) if how == "parameter" else register(a, at(a), 0)
    assert listed(expect(200, answer)) == bound(a) == [uri(at(a, "second"))]


@row("REG-03")
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_expires_0_removes_the_only_binding(d, how):
    a = d.phone(register=True)
    answer = register(a, f"{a.contact};expires=0") if how == "parameter" else register(a, a.contact, 0)
    assert expect(200, answer).all("contact") == fetch(a) == []
    assert d.phone(register=True).call(a.user, SDP).final().status == 480


@row("REG-04")
def test_star_removes_all(many):
    a, b = many.phone(), many.phone(register=True)
    expect(200, register(a, [at(a), at(a, "second"), at(a, "third")], 600))
    assert len(bound(a)) == 3
    assert expect(200, register(a, "*", 0)).all("contact") == fetch(a) == []
    assert bound(b) == [uri(b.contact)], "and nobody else's"
    assert expect(200, register(a, "*", 0)).all("contact") == [], "of nothing: nothing"


@row("REG-04")
def test_star_of_another_call_id(d):
    a = d.phone(register=True)
    expect(200, register(a, "*", 0, call_id=rand(), cseq=1))
    assert fetch(a) == []


@row("REG-05")
def test_star_without_expires(each):
    a = each.phone(register=True)
    for contact in ("*", "*;expires=0"):
        expect(400, register(a, contact))
        assert bound(a) == [uri(a.contact)], contact


@row("REG-06")
@pytest.mark.parametrize("contacts", [
    ["*", "{own}"], ["{own}", "*"], ["*, {own}"], ["{own}, *"], ["*", "<sip:x@127.0.0.1:9>"], ["*", "*"], ["*, *"],
    ["*", "{own};expires=0"], ["<sip:x@127.0.0.1:9>, *", "{own}"]])
def test_star_with_another_contact(each, contacts):
    a = each.phone(register=True)
    expect(400, register(a, [c.format(own=a.contact) for c in contacts], 0))
    assert bound(a) == [uri(a.contact)]


@row("REG-07")
@pytest.mark.parametrize("expires", [3600, 1, 60, "abc", "-0", "", 2**32, "0x0"])
def test_star_with_another_expiry(each, expires):
    a = each.phone(register=True)
    expect(400, register(a, "*", expires))
    assert bound(a) == [uri(a.contact)]


# ---- order --------------------------------------------------------------------------------------------


@row("REG-08")
@pytest.mark.parametrize("cseq", [99, 50, 1, 0])
@pytest.mark.parametrize("change", ["remove", "remove by header", "refresh", "with another"])
def test_lower_cseq(many, cseq, change):
    a = many.phone()
    expect(200, register(a, at(a), 600, cseq=100))
    contacts, expires = {"remove": (f"{at(a)};expires=0", None), "remove by header": (at(a), 0),
                         "refresh": (at(a), 7000), "with another": ([at(a, "new"), at(a)], 600)}[change]
    expect(range(400, 600), register(a, contacts, expires, cseq=cseq))
    (contact,) = fetch(a)
    assert uri(contact) == uri(at(a)) and 590 <= seconds(contact) <= 600, contact
    expect(200, register(a, at(a), 600, cseq=101))


@row("REG-08")
def test_lower_cseq_of_what_would_replace(d):
    """One contact only: an older request of the same phone does not put its old address back."""
    a = d.phone()
    expect(200, register(a, at(a), 600, cseq=100))
    expect(range(400, 600), register(a, at(a, "old"), 600, cseq=50))
    assert bound(a) == [uri(at(a))]


@row("REG-09")
@pytest.mark.parametrize("cseq", [50, 99, 100])
def test_star_with_a_lower_cseq(each, cseq):
    a = each.phone()
    expect(200, register(a, at(a), 600, cseq=100))
    expect(range(400, 600), register(a, "*", 0, cseq=cseq))
    assert bound(a) == [uri(at(a))]
    expect(200, register(a, "*", 0, cseq=101))
    assert fetch(a) == []


@row("REG-09")
def test_star_is_all_or_nothing(many):
    """One binding of this Call-ID is newer: those of other Call-IDs stay, too."""
    a = many.phone()
    expect(200, register(a, at(a, "other"), 600, call_id=rand(), cseq=1))
    expect(200, register(a, at(a), 600, cseq=100))
    expect(range(400, 600), register(a, "*", 0, cseq=50))
    assert bound(a) == sorted([uri(at(a)), uri(at(a, "other"))])


@row("REG-10")
def test_refreshes_leave_one_binding(each):
    a = each.phone()
    for lifetime in (600, 700, 800):
        (contact,) = expect(200, register(a, a.contact, lifetime)).all("contact")
        assert seconds(contact) == lifetime
    (contact,) = fetch(a)
    assert uri(contact) == uri(a.contact) and 795 <= seconds(contact) <= 800


@row("REG-11")
def test_rebooted_phone(each):
    a = each.phone()
    expect(200, register(a, a.contact, 100, cseq=5000))
    expect(200, register(a, a.contact, 1000, call_id=rand(), cseq=1))
    (contact,) = fetch(a)
    assert uri(contact) == uri(a.contact) and 990 < seconds(contact) <= 1000
    expect(200, register(a, f"{a.contact};expires=0", call_id=rand(), cseq=1))
    assert fetch(a) == []


# ---- expiry ---------------------------------------------------------------------------------------------


def granted(d, parameter="", header=None):
    a = d.phone()
    (contact,) = expect(200, register(a, a.contact + parameter, header)).all("contact")
    (again,) = fetch(a)
    assert seconds(contact) - 5 <= seconds(again) <= seconds(contact)
    return seconds(contact)


@row("REG-12")
@pytest.mark.parametrize("parameter,header,want", [
    (";expires=300", 900, 300), (";expires=900", 300, 900), (";EXPIRES=300", 900, 300), (" ; expires = 300", 900, 300),
    (";q=0.5;expires=300;x=y", 900, 300), (';x="a;expires=77";expires=300', 900, 300), (";expires=300", 0, 300),
    (";expires=00300", 900, 300)])
def test_parameter_wins_over_header(d, parameter, header, want):
    assert granted(d, parameter, header) == want


@row("REG-12")
def test_each_contact_has_its_own_expiry(many):
    a = many.phone()
    answer = expect(200, register(a, [f"{at(a)};expires=300, {at(a, 'x')};expires=400", at(a, "y")], 500))
    assert {uri(c): seconds(c) for c in answer.all("contact")} == {
        uri(at(a)): 300, uri(at(a, "x")): 400, uri(at(a, "y")): 500}


@row("REG-13")
@pytest.mark.parametrize("header", [300, 60, 7200, " 0300 "])
def test_header_counts_without_parameter(d, header):
    assert granted(d, "", header) == int(header)


@row("REG-13")
def test_expires_inside_the_brackets_is_the_uris(d):
    a = d.phone()
    (contact,) = expect(200, register(a, at(a, more=";expires=77"), 300)).all("contact")
    assert uri(contact) == uri(at(a, more=";expires=77")) and seconds(contact.partition(">")[2]) == 300


@row("REG-14")
def test_default_expiry(each):
    assert granted(each) == 3600


@row("REG-15")
@pytest.mark.parametrize("wanted", [2**31 - 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_huge_expiry_is_clamped(d, wanted, how):
    assert granted(d, *((f";expires={wanted}", None) if how == "parameter" else ("", wanted))) == 7200


@row("REG-15")
@pytest.mark.parametrize("wanted", [2**32, 2**32 + 60, 2**63, 2**64, 2**64 + 1, 10**40])
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_more_than_an_expiry_can_be_does_not_wrap(d, wanted, how):
    assert granted(d, *((f";expires={wanted}", None) if how == "parameter" else ("", wanted))) in (3600, 7200)


@row("REG-16")
@pytest.mark.parametrize("value", ["abc", "-1", "1.5", "0x10", "", '""', "12a", "a0", "+0"])
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_malformed_expiry_is_no_removal(d, value, how):
    a = d.phone(register=True)
    contact, header = (f"{a.contact};expires={value}", None) if how == "parameter" else (a.contact, value)
    answer = expect((200, 400), register(a, contact, header))
    (stored,) = fetch(a)
    assert uri(stored) == uri(a.contact) and 3590 <= seconds(stored) <= 3600
    if answer.status == 200:
        assert [seconds(c) for c in answer.all("contact")] == [3600]


@row("REG-16")
def test_expires_without_a_value(d):
    a = d.phone(register=True)
    expect((200, 400), register(a, f"{a.contact};expires"))
    assert bound(a) == [uri(a.contact)]


@row("REG-17")
@pytest.mark.parametrize("wanted", [5, 59, 60, 61, 3600, 7200, 7201, 100000])
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_never_longer_than_wanted(d, wanted, how):
    a = d.phone()
    contact, header = (f"{a.contact};expires={wanted}", None) if how == "parameter" else (a.contact, wanted)
    answer = expect(423 if wanted < 60 else 200, register(a, contact, header))
    if answer.status == 200:
        assert [seconds(c) for c in answer.all("contact")] == [min(wanted, 7200)]
    else:
        assert fetch(a) == []


@row("REG-18")
@pytest.mark.parametrize("wanted", [1, 59])
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_too_brief(each, wanted, how):
    a = each.phone()
    contact, header = (f"{a.contact};expires={wanted}", None) if how == "parameter" else (a.contact, wanted)
    answer = expect(423, register(a, contact, header))
    assert answer.all("min-expires") == ["60"] and answer.all("contact") == []
    assert fetch(a) == []
    (contact,) = expect(200, register(a, a.contact, answer.get("min-expires"))).all("contact")
    assert seconds(contact) == 60
    expect(423, register(a, f"{a.contact};expires={wanted}", 3600))
    assert bound(a) == [uri(a.contact)], "what was there stays"


@row("REG-18")
def test_one_too_brief_contact_refuses_all(many):
    a = many.phone()
    for contacts in ([at(a), f"{at(a, 'x')};expires=5"], [f"{at(a, 'x')};expires=5", at(a)]):
        expect(423, register(a, contacts, 3600))
        assert fetch(a) == []


@row("REG-18")
def test_an_hour_is_never_too_brief():
    with plant({"registrar": {"expires_min_s": 3600}}) as d:
        a = d.phone()
        assert expect(423, register(a, a.contact, 3599)).get("min-expires") == "3600"
        for wanted in (3600, 7200):
            assert [seconds(c) for c in expect(200, register(a, a.contact, wanted)).all("contact")] == [wanted]
        expect(200, register(a, a.contact, 0))
        assert fetch(a) == []


@row("REG-19")
def test_binding_ends_with_its_time():
    with plant({"registrar": {"expires_min_s": 1, "contacts_max": 8}}) as d:
        a, ben = d.phone(), d.phone(register=True)
        began = time.monotonic()
        answer = expect(200, register(a, [f"{at(a)};expires=2", f"{at(a, 'stays')};expires=60"]))
        assert len(answer.all("contact")) == 2
        d.until("one has ended", lambda: len(fetch(a)) == 1)
        assert time.monotonic() - began > 1
        assert bound(a) == [uri(at(a, "stays"))]
        expect(200, register(a, "*", 0))
        expect(200, register(a, at(a), 1))
        d.until("all have ended", lambda: fetch(a) == [])
        assert ben.call(a.user, SDP).final().status == 480
        no_more(a, "request")
        expect(200, register(a, at(a), 60, cseq=1, call_id=rand()))
        call = ben.call(a.user, SDP).challenge()
        refuse(a.accept())
        assert call.final().status == 486


# ---- which binding is meant -----------------------------------------------------------------------------


@row("REG-20")
@pytest.mark.parametrize("one,other", [
    ("sip:u@127.0.0.1:9;x=1", "SIP:%75@127.0.0.1:9;x=1"), ("sip:u@Host.Test:9", "sip:u@hOST.tEST:9"),
    ("sip:u@host.test;transport=UDP", "sip:u@host.test;Transport=udp"), ("sip:%7eu@h.test", "sip:~u@h.test"),
    ("sip:u@h.test;a=1;b=2", "sip:u@h.test;b=2;a=1"), ("sip:u@h.test;lr", "sip:u@h.test;LR"),
    ("sip:u@h.test;x=%41", "sip:u@h.test;x=a"), ("sip:u@h.test", "sip:u@h.test;foreign=only-here"),
    ("sip:[2001:db8::1]", "sip:[2001:DB8::1]"), ("sip:u:pass@h.test", "sip:u:%70ass@h.test")])
def test_equal_uris_are_one_binding(many, one, other):
    a = many.phone()
    for first, second in ((one, other), (other, one)):
        expect(200, register(a, f"<{first}>", 600))
        assert listed(expect(200, register(a, f"<{second}>", 700))) == [second]
        (contact,) = fetch(a)
        assert uri(contact) == second and seconds(contact) > 690
        assert expect(200, register(a, f"<{first}>", 0)).all("contact") == fetch(a) == []


@row("REG-20")
@pytest.mark.parametrize("one,other", [
    ("sip:u@h.test", "sip:U@h.test"), ("sip:u@h.test", "sip:u@h.test:5060"), ("sip:u@h.test", "sips:u@h.test"),
    ("sip:u@h.test", "sip:h.test"), ("sip:u@h.test", "sip:u:p@h.test"), ("sip:u@h.test;x=1", "sip:u@h.test;x=2"),
    ("sip:u@h.test", "sip:u@h.test;transport=tcp"), ("sip:u@h.test", "sip:u@h.test;maddr=127.0.0.1"),
    ("sip:u@h.test;user=phone", "sip:u@h.test"), ("sip:u@127.0.0.1", "sip:u@h.test"), ("sip:u@h.test", "sip:u@h.test;method=INVITE")])
def test_unequal_uris_are_two_bindings(many, one, other):
    a = many.phone()
    expect(200, register(a, f"<{one}>", 600))
    expect(200, register(a, f"<{other}>", 600))
    assert bound(a) == sorted([one, other])
    assert listed(expect(200, register(a, f"<{one}>", 0))) == [other]


# ---- whose address-of-record ----------------------------------------------------------------------------


@row("REG-21")
@pytest.mark.parametrize("contact,expires", [("{a}", 600), ("{b}", 0), ("*", 0), (None, None), ("{a}", None)])
def test_address_of_another(d, contact, expires):
    a, b = d.phone(register=True), d.phone(register=True)
    own = f"<sip:{b.user}@{b.domain}>"
    contacts = contact.format(a=a.contact, b=b.contact) if contact else []
    answer = expect((403, 404), register(a, contacts, expires, to=own, sender=own))
    assert answer.all("contact") == [] and str(b.port) not in repr(answer)
    assert bound(b) == [uri(b.contact)] and bound(a) == [uri(a.contact)]


@row("REG-22")
@pytest.mark.parametrize("contact,expires", [("{a}", 600), ("{b}", 0), ("*", 0), (None, None)])
def test_third_party(d, contact, expires):
    a, b = d.phone(register=True), d.phone(register=True)
    contacts = contact.format(a=a.contact, b=b.contact) if contact else []
    expect(403, register(a, contacts, expires, to=f"<sip:{b.user}@{b.domain}>"))
    assert bound(b) == [uri(b.contact)] and bound(a) == [uri(a.contact)]


@row("REG-23")
def test_unknown_address(d):
    a = d.phone(register=True)
    stranger = d.phone("nobody", secret="x")
    expect(range(400, 500), stranger.register(expect=None))
    none = "<sip:nobody@hotdesk.test>"
    expect(range(400, 500), register(a, a.contact, 600, to=none, sender=none))
    expect(range(400, 500), register(a, a.contact, 600, to="<sip:hotdesk.test>"))
    expect(range(400, 500), register(a, a.contact, 600, to="<sip:%00@hotdesk.test>"))
    assert bound(a) == [uri(a.contact)]


@row("REG-24")
@pytest.mark.parametrize("values", [["x-nobody"], ["x-one, x-two"], ["x-one", "x-two"], ["100rel, timer"], [" x-one ,x-two"]])
@pytest.mark.parametrize("authenticated", [True, False])
def test_require(d, values, authenticated):
    a = d.phone()
    required = [("Require", v) for v in values]
    answer = register(a, a.contact, 600, extra=required) if authenticated else request(a, extra=required)
    tags = [t.strip() for v in expect(420, answer).all("unsupported") for t in v.split(",")]
    assert tags == [t.strip() for v in values for t in v.split(",")]
    assert fetch(a) == []


@row("REG-24")
def test_supported_is_no_demand(d):
    a = d.phone()
    expect(200, register(a, a.contact, 600, extra=[("Supported", "x-nobody, 100rel")]))


@row("REG-25")
def test_date(d):
    a = d.phone(register=True)
    began = time.time()
    (date,) = register(a).all("date")
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
                        r"\d{4} \d\d:\d\d:\d\d GMT", date), date
    told = time.mktime(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert began - 1 <= told <= time.time() + 1


BAD = ["<sip:x@127.0.0.1:port>", "<sip:>", "<mailto:x@y>", "<tel:+49123>", "<http://127.0.0.1/>", "sip:x@[::1", "<>",
'"open <sip:x@127.0.0.1>', "<sip:x@127.0.0.1", "<sip:x@127.0.0.1> junk",
       "<sip:x@127.0.0.1:99999>", "<sip:x@>", "<sip:x y@127.0.0.1>", "<sip:x%zz@127.0.0.1>", "<nonsense>",
       "<sip:x@127.0.0.1>;q=2", "<sip:" + "x" * 600 + "@127.0.0.1>"]


@row("REG-26")
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", ["same line", "same line first", "line before", "line after"])
def test_one_bad_contact_spoils_all(many, bad, place):
    a = many.phone()
    contacts = {"same line": [f"{at(a)}, {bad}"], "same line first": [f"{bad}, {at(a)}"], "line before": [bad, at(a)],
                "line after": [at(a), bad]}[place]
    expect(400, register(a, contacts, 600))
    assert fetch(a) == []
    expect(200, register(a, at(a, "old"), 600))
    expect(400, register(a, [f"{at(a, 'old')};expires=0", *contacts], 600))
    assert bound(a) == [uri(at(a, "old"))]


@row("REG-26")
def test_one_too_many_spoils_all(many):
    a = many.phone()
    expect(403, register(a, [at(a, str(i)) for i in range(9)], 600))
    assert fetch(a) == []
    expect(200, register(a, [at(a, str(i)) for i in range(7)], 600))
    expect(403, register(a, [at(a, "7"), at(a, "8")], 600))
    assert len(fetch(a)) == 7
    expect(200, register(a, [at(a, "7"), at(a, "8"), f"{at(a, '0')};expires=0"], 600))
    assert len(fetch(a)) == 8, "as many go as come"


@row("REG-27")
@pytest.mark.parametrize("value", ["<sip:127.0.0.1:9;lr>", "<sip:127.0.0.1:9;lr>, <sip:127.0.0.1:10;lr>", "garbage"])
def test_record_route_is_ignored(d, value):
    a, ben = d.phone(), d.phone(register=True)
    answer = expect((200, 400) if value == "garbage" else 200,
                    register(a, a.contact, 600, extra=[("Record-Route", value)]))
    assert answer.all("record-route") == []
    if answer.status == 200:
        call = ben.call(a.user, SDP).challenge()
        leg = a.accept()
        assert leg.invite.all("route") == []
        refuse(leg)
        assert call.final().status == 486


# ---- canonical addresses-of-record ----------------------------------------------------------------------


@row("REG-28")
@pytest.mark.parametrize("to", [
    "<sip:{u}@HOTDESK.TEST>", "<sip:{u}@HotDesk.Test;user=phone;foo>", "<SIP:{u}@hotdesk.test;x=1>", "sip:{u}@hotdesk.test",
    '"A ; <> name" <sip:{u}@hotdesk.test>', "<sip:{u}:word@hotdesk.test>", "<sip:{u}@hotdesk.test?Subject=x>"])
def test_canonical_domain(d, to):
    a = d.phone()
    expect(200, register(a, a.contact, 600, to=to.format(u=a.user)))
    assert bound(a) == [uri(a.contact)]
    call = d.phone(register=True).call(f"sip:{a.user}@hotdesk.TEST", SDP).challenge()
    refuse(a.accept())
    assert call.final().status == 486


@row("REG-28")
@pytest.mark.parametrize("line", ["sip:HOTDESK.test", "SIP:hotdesk.test", "sip:hotdesk.test;x=1"])
def test_canonical_request_line(d, line):
    a = d.phone()
    expect(200, register(a, a.contact, 600, line=line))
    assert bound(a) == [uri(a.contact)]


@row("REG-29")
@pytest.mark.parametrize("escape", [lambda c: f"%{ord(c):02x}", lambda c: f"%{ord(c):02X}"])
def test_escaped_user(d, escape):
    a = d.phone()
    user = "".join(map(escape, a.user))
    expect(200, register(a, a.contact, 600, to=f"<sip:{user}@{a.domain}>", sender=f"<sip:{user}@{a.domain}>"))
    assert bound(a) == [uri(a.contact)]
    user = escape(a.user[0]) + a.user[1:]
    expect(200, register(a, a.contact, 0, to=f"<sip:{user}@{a.domain}>"))
    assert fetch(a) == []


@row("REG-30")
@pytest.mark.parametrize("how", ["parameter", "header"])
def test_removing_the_unknown(each, how):
    a = each.phone()
    unknown = "<sip:never@127.0.0.1:9>"
    assert expect(200, register(a, unknown, 0)).all("contact") == []
    expect(200, register(a, a.contact, 600))
    answer = register(a, f"{unknown};expires=0", 600) if how == "parameter" else register(a, unknown, 0)
    assert listed(expect(200, answer)) == bound(a) == [uri(a.contact)]


@row("REG-31")
@pytest.mark.parametrize("layout", ["comma", "lines", "both"])
def test_several_contacts_in_one_request(many, layout):
    a = many.phone()
    three = [at(a), f"{at(a, 'two')};q=0.5", f'"Three, <3>" {at(a, "three")};q=0.1']
    contacts = {"comma": [", ".join(three)], "lines": three, "both": [",".join(three[:2]), three[2]]}[layout]
    answer = expect(200, register(a, contacts, 600))
    assert listed(answer) == bound(a) == sorted(uri(at(a, u)) for u in (None, "two", "three"))
    assert {seconds(c) for c in answer.all("contact")} == {600}


@row("REG-32")
@pytest.mark.parametrize("q", ["0.7", "0", "1", "1.0", "0.123", "1.000", "0.", "0.70"])
def test_q_comes_back(d, q):
    a = d.phone()
    for answer in (expect(200, register(a, f"{a.contact};q={q}", 600)), register(a)):
        (contact,) = answer.all("contact")
        assert [float(v) for v in re.findall(r";q=([\d.]+)", contact)] == [float(q)], contact
    (contact,) = expect(200, register(a, f"{a.contact};q=0.2", 600)).all("contact")
    assert ";q=0.2" in contact, "a refresh may change it"
    (contact,) = expect(200, register(a, a.contact, 600)).all("contact")
    assert ";q=" not in contact, "and take it away"


@row("REG-33")
@pytest.mark.parametrize("q", ["1.5", "abc", "-1", "0.1234567", "2", "", ".5", "1.001", "0,5", "1e0", "0.5.5", '"x"', "00.5"])
def test_bad_q(d, q):
    a = d.phone()
    answer = expect((200, 400), register(a, f"{a.contact};q={q}", 600))
    assert bound(a) == ([uri(a.contact)] if answer.status == 200 else [])
    for contact in answer.all("contact"):
        for value in re.findall(r";q=([^;,]*)", contact):
            assert 0 <= float(value) <= 1, contact
    expect(200, register(a, a.contact, 600))


@row("REG-34")
def test_over_tcp(d):
    a, ben = d.phone(transport="tcp"), d.phone(register=True)
    assert listed(expect(200, a.register())) == bound(a) == [uri(a.contact)]
    call = ben.call(a.user, SDP).challenge()
    refuse(a.accept())
    assert call.final().status == 486
    assert expect(200, a.register(expires=0)).all("contact") == fetch(a) == []


@row("REG-35")
def test_parameters_outside_and_inside_the_brackets(d):
    a = d.phone()
    at_port = f"sip:{a.user}@{a.host}:{a.port}"
    for value, stored, outside in [
            (f"{at_port};p=header", at_port, ";p=header"), (f"<{at_port};p=uri>", f"{at_port};p=uri", ""),
            (f"<{at_port};p=uri>;p=header", f"{at_port};p=uri", ";p=header"),
            (f"{at_port};unknownparam", at_port, ";unknownparam"), (f"<{at_port};unknownparam>", f"{at_port};unknownparam", ""),
            (f"{at_port};expires=300", at_port, "")]:
        answer = expect(200, register(a, value, 600))
        (contact,) = answer.all("contact")
        assert uri(contact) == stored, contact
        assert contact.replace(f"<{stored}>", "").replace(f";expires={seconds(contact)}", "") == outside, contact
        assert seconds(contact) == (300 if "expires" in value else 600)
        assert bound(a) == [stored]


@row("REG-35")
@pytest.mark.nolint("LNT-15")  # 19.1.1: a Contact may have them, a Request-URI may not
@pytest.mark.parametrize("more,kept", [("?Route=%3Csip:127.0.0.1:9%3E", ""), ("?Subject=x&Priority=urgent", ""),
                                       (";method=MESSAGE", ""), (";a=1;method=MESSAGE;b?Route=%3Csip:x%3E", ";a=1;b")])
def test_headers_of_a_contact(d, more, kept):
    """RFC 4475 3.3.14: it is bound and given back as it is; nothing that it says gets into a request."""
    a, ben = d.phone(), d.phone(register=True)
    expect(200, register(a, at(a, more=more), 600))
    assert bound(a) == [uri(at(a, more=more))]
    call = ben.call(a.user, SDP).challenge()
    leg = a.accept()
    assert leg.invite.ruri == uri(at(a, more=kept)) and leg.invite.all("route") == [], repr(leg.invite)
    refuse(leg)
    assert call.final().status == 486
    assert listed(expect(200, register(a, at(a, more=more), 0))) == []


@row("REG-35")
def test_question_mark_without_brackets(d):
    """20.10: a URI with ? needs the brackets."""
    a = d.phone()
    expect(400, register(a, f"sip:{a.user}@{a.host}:{a.port}?Route=%3Csip:sip.example.com%3E", 600))
    assert fetch(a) == []


@row("REG-36")
def test_expiry_counts_down(each):
    a = each.phone()
    expect(200, register(a, a.contact, 600))
    began, (first,) = time.monotonic(), fetch(a)
    each.until("it is less", lambda: seconds(fetch(a)[0]) <= seconds(first) - 2)
    assert time.monotonic() - began > 1


@row("REG-37")
@pytest.mark.parametrize("expires", [600, 0])
def test_retransmission(d, expires):
    a = d.phone(register=not expires)
    answer = expect(200, register(a, a.contact, expires))
    raw, epoch = a.sent.raw, d.metric("hotdeskd_store_epoch")
    for _ in range(3):
        a.send_raw(raw)
        again = a.final("REGISTER", a.call_id, a.cseq)
        assert again.status == 200 and listed(again) == listed(answer)
        assert again.tag("to") == answer.tag("to") and again.get("via") == answer.get("via")
    assert d.metric("hotdeskd_store_epoch") == epoch


@row("REG-37")
def test_retransmission_before_the_answer(d):
    a = d.phone()
    headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, 7, rand(4))
    a.send(f"REGISTER sip:{a.domain} SIP/2.0", headers + [("Contact", a.contact), fresh(a)])
    for _ in range(4):
        a.send_raw(a.sent.raw)
    answers = [a.final("REGISTER", a.call_id, 7)]
    a.cseq = 7
    expect(200, register(a, a.contact, 600))
    answers += [m for m in a.inbox if m.get("call-id") == a.call_id]
    assert {m.status for m in answers} == {200} and len({m.tag("to") for m in answers}) == 1
    assert bound(a) == [uri(a.contact)]


@row("REG-37")
def test_retransmitted_challenge(d):
    a = d.phone()
    first = request(a)
    a.send_raw(a.sent.raw)
    again = a.final("REGISTER", a.sent.get("call-id"))
    assert again.status == first.status == 401 and again.tag("to") == first.tag("to")


# ---- one contact or several ------------------------------------------------------------------------------


@row("REG-38")
@pytest.mark.parametrize("transports", [("udp", "udp"), ("udp", "tcp"), ("tcp", "udp")])
def test_a_new_contact_replaces_the_old(d, transports):
    a, ben = d.phone(transport=transports[0], register=True), d.phone(register=True)
    moved = d.phone(a.user, transport=transports[1])
    assert listed(expect(200, moved.register())) == bound(a) == [uri(moved.contact)]
    call = ben.call(a.user, SDP).challenge()
    refuse(moved.accept())
    assert call.final().status == 486
    no_more(a, "request", lambda m: m.method)
    assert listed(expect(200, a.register(expires=0))) == [uri(moved.contact)], "the loser's farewell harms nobody"


@row("REG-39")
def test_two_phones_of_one_account(many):
    a = many.phone(register=True)
    b = many.phone(a.user)
    assert listed(expect(200, b.register())) == bound(a) == sorted([uri(a.contact), uri(b.contact)])
    assert listed(expect(200, a.register(expires=0))) == bound(b) == [uri(b.contact)]


@row("REG-39")
def test_one_instance_is_one_binding(many):
    """RFC 5626 4.1 and 6: what is the same instance and registration is one phone, wherever it is."""
    a = many.phone()
    instance = ';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";reg-id=1'
    expect(200, register(a, a.contact + instance, 600))
    moved = many.phone(a.user)
    expect(200, register(moved, moved.contact + instance, 600))
    assert bound(a) == [uri(moved.contact)]


@row("REG-39")
@pytest.mark.parametrize("turn", [1, -1])
def test_an_instance_moves_and_takes_its_leave(each, turn):
    a = each.phone()
    instance = ';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";reg-id=1'
    expect(200, register(a, at(a, "old") + instance, 600))
    contacts = [f"{at(a)}{instance};expires=600", f"{at(a, 'old')}{instance};expires=0"][::turn]
    assert listed(expect(200, register(a, contacts))) == bound(a) == [uri(at(a))]


@row("REG-40")
def test_never_6xx_and_the_body_is_ignored(each):
    a = each.phone()
    bodies = [(b"\0a body\xff\r\n\r\n", "text/plain"), (SDP, "application/sdp"), (b"x" * 900, "application/x-unknown")]
    for body, kind in bodies:
        answer = expect(200, register(a, a.contact, 600, extra=[("Content-Type", kind)], body=body))
        assert answer.body == b"" and bound(a) == [uri(a.contact)]
    for contact in ("<mailto:a@b.test>", "mailto:a@b.test", "<tel:+4912>", "<urn:service:sos>", "<sips:a@b.test>"):
        assert 200 <= register(a, contact, 600, call_id=rand()).status < 600
    no_more(a, "provisional", lambda m: 100 < m.status < 200)


@row("REG-41")
def test_foreign_domain(d):
    a = d.phone()
    for line in ("sip:elsewhere.test", "sip:127.0.0.99", "sip:hotdesk.test.elsewhere.test", "sip:hotdesk"):
        expect((403, 404), register(a, a.contact, 600, line=line))
    expect(404, register(a, a.contact, 600, to=f"<sip:{a.user}@elsewhere.test>"))
    expect(404, register(a, a.contact, 600, to=f"<sip:{a.user}@elsewhere.test>", line="sip:elsewhere.test"))
    expect(range(400, 500), register(a, a.contact, 600, to="<tel:+49123>"))
    expect(range(400, 500), register(a, a.contact, 600, line="tel:+49123"))
    assert fetch(a) == []


@row("REG-42")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("layout", ["lines", "comma"])
def test_300_contacts_in_one_request(each, transport, layout):
    a = each.phone(transport=transport)
    expect(200, register(a, a.contact, 600))
    bomb = [f"<sip:{i}@127.0.0.1:9>" for i in range(300)]
    expect((400, 403, 413), register(a, bomb if layout == "lines" else ", ".join(bomb), 600))
    assert bound(a) == [uri(a.contact)]
    ping(each.address(transport), transport)


@row("REG-42")
def test_300_contacts_one_by_one(many):
    a = many.phone()
    statuses = [register(a, f"<sip:{i}@127.0.0.1:9>", 600).status for i in range(300)]
    assert statuses == [200] * 8 + [403] * 292
    assert len(fetch(a)) == 8
    expect(200, register(a, "<sip:0@127.0.0.1:9>", 700))
    expect(200, register(a, "*", 0))
    expect(200, register(a, a.contact, 600))


@row("REG-43")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("contacts_max", [1, 8])
def test_forty_at_once(transport, contacts_max):
    with plant({"registrar": {"contacts_max": contacts_max}}) as d:
        register_at_once([d.phone(transport=transport) for _ in range(40)])


def register_at_once(phones):
    line = "sip:hotdesk.test"
    for a in phones:
        a.send(f"REGISTER {line} SIP/2.0", a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, 1, "t"))
    answers = [a.final("REGISTER", cseq=1) for a in phones]
    for a, answer in zip(phones, answers):
        headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, 2, "t")
        a.send(f"REGISTER {line} SIP/2.0", headers + [
            ("Contact", a.contact), a.authorization(answer, "REGISTER", line)])
    for a in phones:
        assert listed(expect(200, a.final("REGISTER", cseq=2))) == [uri(a.contact)]
    for a in phones:
        assert bound(a) == [uri(a.contact)]


@row("REG-44")
def test_bindings_do_not_leak(each):
    a, b = each.phones_of(2)
    for answer in (b.register(), register(b), register(b, [], to=f"<sip:{a.user}@{a.domain}>")):
        assert str(a.port) not in repr(answer).replace(answer.get("via"), ""), answer
        assert a.user not in repr(answer).replace(answer.get("to"), "")
    stranger = each.phone("nobody", secret="x")
    assert stranger.register(contact="", expect=401).all("contact") == []


@row("REG-45")
@pytest.mark.parametrize("name", ['"A, \\"quoted\\" ; <sip:not@this> name"', "Bare Name", '""', '"="', '"\\\\"', '"Öß 電話"', '"*"', '"\\""'])
def test_display_names(d, name):
    a = d.phone()
    instance = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-00085D4A0F8B>"'
    answer = expect(200, register(a, f'{name} {at(a)};methods="INVITE, ACK;x=<y>";expires=300{instance}', 600))
    (contact,) = answer.all("contact")
    assert contact.count(uri(at(a))) == 1 and seconds(contact) == 300
    assert instance in contact and ';methods="INVITE, ACK;x=<y>"' in contact, contact
    assert len(fetch(a)) == 1


@row("REG-45")
def test_several_with_display_names(many):
    a = many.phone()
    expect(200, register(a, f'"One, <1>" {at(a, "one")};x="a,b", Two {at(a, "two")} , "\\", <sip:x@y>" {at(a)}', 600))
    assert bound(a) == sorted(uri(at(a, u)) for u in (None, "one", "two"))


# ---- same number, other request ---------------------------------------------------------------------------


@row("REG-46")
@pytest.mark.parametrize("change", ["remove", "star", "refresh", "replace"])
@pytest.mark.parametrize("credentials", ["new nonce", "next count", "same credentials"])
def test_equal_cseq_in_a_new_transaction(each, change, credentials):
    a = each.phone()
    challenge = pick(request(a))
    used = ("Authorization", digest(challenge, "REGISTER", "sip:hotdesk.test", a.user, a.password))
    expect(200, register(a, at(a), 600, cseq=100, credentials=used))
    value = {"new nonce": None, "same credentials": used, "next count": (
        "Authorization", digest(challenge, "REGISTER", "sip:hotdesk.test", a.user, a.password, nc=2))}[credentials]
    contact, expires = {"remove": (at(a), 0), "star": ("*", 0), "refresh": (at(a), 7000),
                        "replace": (at(a, "other"), 600)}[change]
    if change == "replace" and each.conf["registrar"].get("contacts_max"):
        contact = [contact, at(a)]
    expect(range(400, 600), register(a, contact, expires, cseq=100, credentials=value))
    (stored,) = fetch(a)
    assert uri(stored) == uri(at(a)) and 590 <= seconds(stored) <= 600
    expect(200, register(a, at(a), 600, cseq=101))


@row("REG-47")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_back_to_back_in_order(each, transport):
    a = each.phone(transport=transport)
    challenge, line, count = pick(request(a)), "sip:hotdesk.test", 0
    for _ in range(15):
        for expiry in ("600", "0"):
            a.cseq, count = a.cseq + 1, count + 1
            headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, a.cseq, "t")
            a.send(f"REGISTER {line} SIP/2.0", headers + [
                ("Contact", a.contact), ("Expires", expiry),
                ("Authorization", digest(challenge, "REGISTER", line, a.user, a.password, nc=count))])
        added, removed = (a.final("REGISTER", a.call_id, n) for n in (a.cseq - 1, a.cseq))
        assert listed(expect(200, added)) == [uri(a.contact)]
        assert expect(200, removed).all("contact") == fetch(a) == []


@row("REG-47")
def test_thirty_in_one_segment(each):
    """A stream keeps its order, and so do the answers."""
    a = each.phone(transport="tcp")
    challenge, line, heap = pick(request(a)), "sip:hotdesk.test", []
    send, a.send_raw = a.send_raw, heap.append
    for n in range(1, 31):
        headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, n, "t")
        a.send(f"REGISTER {line} SIP/2.0", headers + [
            ("Contact", a.contact), ("Expires", "600" if n % 2 else "0"),
            ("Authorization", digest(challenge, "REGISTER", line, a.user, a.password, nc=n))])
    a.send_raw = send
    a.send_raw(b"".join(heap))
    got = [expect(200, a.final("REGISTER", a.call_id, n)) for n in range(1, 31)]
    assert [len(m.all("contact")) for m in got] == [1, 0] * 15
    assert fetch(a) == []
