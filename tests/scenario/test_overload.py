"""More work than can be done: what is refused, what is not, and that it passes again afterwards."""

import contextlib
import re
import signal
import time

import pytest

from credentials import right
from plant import Plant, directory, secret
from steps import again, connect, hang_up, login, ring, sooner_or_later
from support.block import blocked_store
from support.sip import SDP, digest

QUICK = {"t1_ms": 60, "t2_ms": 100, "t4_ms": 100}


@contextlib.contextmanager
def plant(conf):
    """With a phone whose id is an emergency number, as long as nothing leads out of the house."""
    d = Plant(conf)
    (d.folder / "directory.yaml").write_text(directory() + f'  - {{id: "112", secret: {secret("112")}}}\n')
    with d:
        yield d


def value(d, line):
    status, text = d.admin("GET", "/metrics")
    assert status == 200, text
    m = re.search(rf"^{re.escape(line)} (\S+)$", text, re.M)
    assert m, f"no {line} in\n{text}"
    return float(m.group(1))


def shed(d, why):
    return value(d, f'hotdeskd_shed_total{{class="{why}"}}')


def idle(d):
    d.until("no open transaction", lambda: d.metric("hotdeskd_response_contexts") == 0)


def refused(answer, least=5, most=30):
    assert answer.status == 503, repr(answer)
    after = int(answer.get("retry-after"))
    assert least <= after <= most, repr(answer)
    return after


def emergency(d, caller, callee):
    hang_up(*connect(caller, callee, "112"))


# ---- transactions ---------------------------------------------------------------------------------


def test_transactions_max():
    with plant({"sip": {**QUICK, "transactions_max": 2, "retry_after_min_s": 7, "retry_after_max_s": 9}}) as d:
        a, b, c1, c2, d1, d2, e, f = d.phones_of(8)
        ta, tb = (d.phone(transport="tcp", register=True) for _ in range(2))
        sos = d.phone("112", register=True)
        talking = connect(a, b, b.user)
        idle(d)
        streams = connect(ta, tb, tb.user)
        idle(d)
        one, two = ring(c1, d1, d1.user), ring(c2, d2, d2.user)

        refused(e.call(f.user, SDP).final(), 7, 9)
        refused(e.call(f.user, method="MESSAGE").final(), 7, 9)
        refused(e.call("sip:*771@hotdesk.test", SDP).final(), 7, 9)
        assert shed(d, "transactions") == 3
        emergency(d, e, sos)
        again(talking[0], talking[1], SDP)
        again(streams[1], streams[0], SDP)
        hang_up(*streams)
        hang_up(*talking)
        assert e.register().status == 200, "a refresh"
        assert d.phone(register=True), "a phone that was not known"

        one[1].answer(200)
        assert one[0].final().status == 200, "responses pass"
        one[0].ack()
        d1.request("ACK")
        two[0].cancel()
        d2.reply(d2.request("CANCEL"), 200)
        two[1].answer(487)
        assert two[0].final().status == 487
        hang_up(*one)
        idle(d)
        hang_up(*connect(e, f, f.user))
        assert shed(d, "transactions") == 3
        assert d.log().count("overload: 1 requests not served (transactions 1)") == 1, d.log()
        assert d.log().count("overload:") <= 2


def test_answered_ones_are_counted_too():
    """A transaction that waits for late copies holds memory."""
    with plant({"sip": {**QUICK, "t1_ms": 100, "transactions_kept_max": 4}}) as d:
        a, b, c, e = d.phones_of(4)
        sos = d.phone("112", register=True)
        talking = connect(c, e, e.user)
        idle(d)

        def message():
            call = a.call(b.user, method="MESSAGE").challenge()
            d.until("an answer or the request", lambda: a.pump(0.01) or b.pump(0.01))
            if any(m.method == "MESSAGE" for m in b.inbox):
                b.reply(b.request("MESSAGE"), 200)
            return call.final()
        answers = [message() for _ in range(6)]
        assert answers[0].status == 200, repr(answers[0])
        refused(answers[-1])
        emergency(d, a, sos)
        again(*talking, SDP)
        hang_up(*talking)
        d.until("forgotten", lambda: message().status == 200)


def test_retry_after_differs():
    with plant({"sip": {**QUICK, "transactions_max": 1}}) as d:
        a, b, e, f = d.phones_of(4)
        call = ring(a, b, b.user)
        times = {refused(e.call(f.user, SDP).final()) for _ in range(20)}
        assert len(times) > 3, times
        call[1].answer(486)
        assert call[0].final().status == 486


def rss_kib(d):
    text = open(f"/proc/{d.process.pid}/status", encoding="ascii").read()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))


def test_refusing_costs_no_memory():
    with plant({"sip": {"transactions_max": 1}}) as d:
        a, b, e, f = d.phones_of(4)
        ring(a, b, b.user)
        call = e.call(f.user, SDP)
        refused(call.final())
        challenge, kept = e.challenge, value(d, 'hotdeskd_transactions{state="kept"}')

        def refuse_many(first, n):
            for nc in range(first, first + n):
                call.credentials = [("Proxy-Authorization",
                                     digest(challenge, "INVITE", call.uri, e.user, e.password, nc))]
                call.call_id = f"{nc}@many"
                call.send_initial()
                refused(e.final("INVITE", call.call_id))
        refuse_many(2, 300)
        before = rss_kib(d)
        refuse_many(302, 1200)
        grown = rss_kib(d) - before
        sanitized = "asan" in open(f"/proc/{d.process.pid}/maps", encoding="utf-8").read()
        assert grown < 2048 or sanitized, f"{grown} KiB"  # ASan keeps what was freed for a while
        d.until("a tick", lambda: value(d, 'hotdeskd_transactions{state="kept"}') <= kept + 2)
        assert shed(d, "transactions") == 1501
        assert d.log().count("overload:") < 10


# ---- the hash queue -------------------------------------------------------------------------------


def reload(d):
    n = d.log().count("reload: changed")
    d.write_conf()
    d.process.send_signal(signal.SIGHUP)
    d.until("reloaded", lambda: d.log().count("reload: changed") > n)
    assert d.metric("hotdeskd_transactions") >= 0, "the control thread is done with it"
    d.phone(register=True)  # its commit comes to the SIP thread behind the new values


def test_pin_queue_full():
    """The cost of a PIN and the room for those that wait change with a reload."""
    with plant({"pin": {"threads": 1}, "desk": {"lock_after": 50, "hard_lock_after": 50}}) as d:
        phones = d.phones_of(5)
        a, b = d.phones_of(2)
        assert login(phones[0], "999", "111222").status == 403
        d.conf["pin"] |= {"memory_kib": 65536, "passes": 16, "queue_max": 1}
        reload(d)

        def full():
            """one PIN is worked on, one waits, and for others there is no room"""
            before = shed(d, "hash")
            talking = connect(a, b, b.user)
            calls = [p.call("sip:*771*999*111222@hotdesk.test", SDP).challenge() for p in phones]
            hang_up(*talking)
            hang_up(*connect(a, b, b.user))
            answers = [c.final() for c in calls]
            no_room = [x for x in answers if x.status == 503]
            assert len(no_room) <= 4 and {x.status for x in answers} <= {403, 503}, [x.status for x in answers]
            for x in no_room:
                refused(x)
            assert shed(d, "hash") == before + len(no_room)
            return len(no_room) >= 2
        sooner_or_later(full)
        assert login(phones[0], "201", "471147").status == 200
        assert d.sessions() == {"201": phones[0].user}


def test_login_dialogues_are_bounded():
    with plant({"desk": {"dialogues_max": 1}}) as d:
        a, b = d.phones_of(2)
        first = a.call("sip:*771@hotdesk.test", SDP)
        assert first.final().status == 200
        first.ack()
        refused(b.call("sip:*771@hotdesk.test", SDP).final())
        assert login(b, "201", "471147").status == 200, "needs no dialogue to be kept open"
        assert first.bye().status == 200
        second = b.call("sip:*771@hotdesk.test", SDP)
        assert second.final().status == 200
        second.ack()
        assert second.bye().status == 200


# ---- the store queue ------------------------------------------------------------------------------


def fill(d):
    """REGISTERs until two in a row were refused: one is being written, the queue is full. Who waits for an answer."""
    waiting, in_a_row = [], 0
    while in_a_row < 2:
        phone = d.phone()
        head = phone.base("REGISTER", f"sip:{phone.user}@hotdesk.test", phone.call_id, 2, "t")
        line = ("Authorization", right(phone))
        phone.send("REGISTER sip:hotdesk.test SIP/2.0", head + [("Contact", phone.contact), line])
        phone.fence()
        answers = [m for m in phone.inbox if m.get("call-id") == phone.call_id]
        in_a_row = in_a_row + 1 if answers else 0
        if answers:
            refused(answers[0])
        else:
            waiting.append(phone)
        assert len(waiting) <= 4, "no end of the queue"
    return waiting


def expires(answer):
    return int(re.search(r";expires=(\d+)", answer.get("contact")).group(1))


@pytest.mark.parametrize("soft", [True, False])
def test_store_queue_full(soft):
    with plant({"store": {"queue_max": 1, "batch_max": 1}, "registrar": {"soft_refresh": soft}}) as d:
        a, b = d.phones_of(2)
        sos = d.phone("112", register=True)
        known = d.phone()
        known.register(expires=100)
        talking = connect(a, b, b.user)
        with blocked_store(d):
            waiting = fill(d)
            refresh = known.register(expires=3600, expect=None)
            if soft:
                assert refresh.status == 200 and 90 < expires(refresh) <= 100, repr(refresh)
                assert value(d, 'hotdeskd_registers_total{result="unwritten"}') == 1
            else:
                refused(refresh)
            refused(known.register(expires=0, expect=None))
            refused(d.phone().register(expect=None))
            refused(login(a, "201", "471147"))
            again(*talking, SDP)
            hang_up(*talking)
            hang_up(*connect(a, b, b.user))
            hang_up(*connect(b, known, known.user))
            emergency(d, a, sos)
        for phone in waiting:
            answer = phone.final("REGISTER", phone.call_id)
            assert answer.status == 200, repr(answer)
        assert expires(known.register(expires=3600)) == 3600
        assert d.phone(register=True)
        assert login(a, "201", "471147").status == 200
        assert shed(d, "store") >= 5
        assert d.log().count("overload:") < 5


# ---- one source -----------------------------------------------------------------------------------


def test_emergency_call_of_a_source_over_its_rate():
    with plant({"sip": {"source_rate": 1, "source_burst": 30, "source_exempt": []},
                "plan": {"emergency": ["112", "0112"]}}) as d:
        a, b = d.phones_of(2)
        sos = d.phone("112", register=True)
        beside = d.phone(host="127.0.0.3")  # another source

        def came():
            beside.fence()
            while a.pump(0):
                pass
            found, a.inbox = a.inbox, []
            return found

        def exhaust(n):
            for _ in range(n):
                a.call("sip:hotdesk.test", method="OPTIONS")
            came()

        def silenced():
            """nothing that is left over, and none that came anew meanwhile"""
            exhaust(60)
            a.call(b.user, SDP)
            return not came()
        sooner_or_later(silenced)
        call, leg = ring(a, sos, "112")
        call.cancel()
        sos.reply(sos.request("CANCEL"), 200)
        leg.answer(487)
        assert call.final().status == 487
        exhaust(10)
        for uri, served in (("urn:service:sos", True), ("urn:service:sos.fire", True),
                            ("urn:service:sosx", False), ("sip:1120@hotdesk.test", False),
                            ("sip:112x@hotdesk.test", False), ("sip:0112@hotdesk.test", True),
                            ("sip:1-1%32;phone-context=+49@hotdesk.test", True)):
            for i in range(8):
                a.send(f"INVITE {uri} SIP/2.0",
                       a.base("INVITE", "sip:x@hotdesk.test", f"{i}{uri[4:8]}@{uri[-4:]}", 1, f"t{served}"))
            answers = [m.status for m in came()]
            assert set(answers) <= {407, 416}, answers
            assert (len(answers) == 8) == served, f"{uri}: {answers}"  # a token or two may have come anew
        assert shed(d, "source") > 20


def test_a_flood_of_emergency_calls_is_bounded():
    with plant({"sip": {"source_rate": 1, "source_burst": 1, "source_exempt": []}}) as d:
        a, began = d.phone(), time.monotonic()
        for i in range(300):
            a.send("INVITE sip:112@hotdesk.test SIP/2.0",
                   a.base("INVITE", "sip:112@hotdesk.test", f"{i}@flood", 1, "t"))
        d.phone(host="127.0.0.3").fence()  # another source, behind them
        most = 62 + 21 * (time.monotonic() - began)  # sip.emergency_burst, sip.emergency_rate
        while a.pump(0):
            pass
        answers = [m for m in a.inbox if m.status == 407]
        assert 60 <= len(answers) <= most, len(answers)
        assert shed(d, "source") == 300 - len(answers)


def test_reload_of_the_emergency_numbers():
    with plant({"sip": {**QUICK, "transactions_max": 1}, "plan": {"emergency": []}}) as d:
        a, b, c = d.phones_of(3)
        sos = d.phone("112", register=True)
        call = ring(a, b, b.user)
        refused(c.call("112", SDP).final())
        d.conf["plan"]["emergency"] = ["112"]
        reload(d)
        emergency(d, c, sos)
        call[1].answer(486)
        assert call[0].final().status == 486
