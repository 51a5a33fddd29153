"""Desk sessions by feature code: who may sit where, what is refused and how it looks."""

import pytest

from steps import answer_resyncs, by_code, connect, hang_up, login, talk
from support.daemon import Daemon
from support.sip import SDP

REASON = 'SIP;cause=403;text="Not possible"'


def shape(answer):
    """What a stranger can compare: everything but what the request itself brought and random tags."""
    return (answer.start, [(n, v if n not in ("via", "from", "to", "call-id", "cseq") else "")
                           for n, v in answer.headers], answer.body)


def test_refusals_look_the_same():
    with Daemon() as d:
        a, owned = d.phone("desk-101", register=True), d.phone("home-201", register=True)
        refusals = [login(a, "201", "000000"), login(a, "999", "471147"), login(a, "203", "914263"),
                    login(owned, "202", "802615")]
        for answer in refusals:
            assert answer.status == 403 and answer.get("reason") == REASON, repr(answer)
            assert shape(answer) == shape(refusals[0])
        assert d.sessions() == {}
        log = d.log()
        for result in ("wrong-pin", "unknown-user", "no-permission", "closed"):
            assert result in log, f"{result} is not told in the log"
        assert 'SecurityEvent="InvalidPassword"' in log and 'SecurityEvent="InvalidAccountID"' in log


def test_owner_needs_no_permission():
    with Daemon() as d:
        own = d.phone("own-203", register=True)
        assert login(own, "203", "914263").status == 200
        answer_resyncs(own)
        assert d.sessions() == {"203": "own-203"}
        assert by_code(own, "*772").status == 200
        answer_resyncs(own)
        assert login(own, "201", "471147").status == 403, "closed while the owner is logged out"


def test_replace_idempotent_logout_toggle():
    with Daemon() as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        assert login(a, "201", "471147").status == 200
        answer_resyncs(a)
        epoch = d.admin("GET", "/v1/sessions")[1]["sessions"][0]["epoch"]
        assert login(a, "201", "471147").status == 200, "there already"
        assert d.admin("GET", "/v1/sessions")[1]["sessions"][0]["epoch"] == epoch
        assert login(a, "202", "802615").status == 200, "replaces"
        answer_resyncs(a)
        assert d.sessions() == {"202": "desk-101"}
        assert by_code(a, "*772").status == 200
        answer_resyncs(a)
        assert d.sessions() == {}
        assert by_code(a, "*772").status == 200, "nobody there: nothing to do"
        assert login(b, "201", "471147", code="*770").status == 200, "toggle in"
        answer_resyncs(b)
        assert by_code(b, "*770").status == 200, "toggle out"
        answer_resyncs(b)
        assert d.sessions() == {}


def test_refuse_policy():
    with Daemon({"desk": {"occupied": "refuse"}}) as d:
        a = d.phone("desk-101", register=True)
        assert login(a, "201", "471147").status == 200
        answer_resyncs(a)
        assert login(a, "202", "802615").status == 403
        assert d.sessions() == {"201": "desk-101"}


def test_info_outside_a_dialog():
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        info = a.call("sip:*771*201*471147@hotdesk.test", method="INFO")
        assert info.final().status == 200
        answer_resyncs(a)
        assert d.sessions() == {"201": "desk-101"}
        assert a.call("sip:*772@hotdesk.test", method="INFO").final().status == 200
        answer_resyncs(a)
        assert d.sessions() == {}
        assert a.call("sip:*771@hotdesk.test", method="INFO").final().status == 403
        assert a.call("sip:*771*201*471147@hotdesk.test", method="MESSAGE").final().status == 405


@pytest.mark.parametrize("kind", ["dtmf-relay", "dtmf", "code"])
def test_info_inside_the_dialog(kind):
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        call = a.call("sip:*771@hotdesk.test", SDP)
        assert call.final().status == 200
        call.ack()
        assert "*771@" in call.remote and "471147" not in call.remote
        if kind == "code":
            call.remote = call.remote.replace("*771@", "*771*201*471147@")
            call.in_dialog("INFO")
            assert a.final("INFO").status == 200
        else:
            for digit in "999*201#471147#":  # '*' begins again
                code = {"*": "10", "#": "11"}.get(digit, digit)
                body = f"Signal={digit}\r\nDuration=160\r\n" if kind == "dtmf-relay" else code
                call.in_dialog("INFO", [("Content-Type", f"application/{kind}")], body)
                assert a.final("INFO", cseq=call.cseq).status == 200
        a.reply(a.request("BYE"), 200)
        answer_resyncs(a)
        assert d.sessions() == {"201": "desk-101"}


def begin_dialogue(phone):
    call = phone.call("sip:*771@hotdesk.test", SDP)
    assert call.final().status == 200
    return call.ack()


def type_in(call, text):
    for digit in text:
        call.in_dialog("INFO", [("Content-Type", "application/dtmf-relay")], f"Signal={digit}\r\n")
        assert call.phone.final("INFO", cseq=call.cseq).status == 200


def test_digit_sent_again_counts_once():
    """UDP: the answer was lost, or the request came twice (RFC 3261 12.2.2)."""
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        call = begin_dialogue(a)
        for digit in "201#471147#":
            type_in(call, digit)
            if digit != "#" or call.cseq < 8:
                a.send_raw(a.sent.raw)
                assert a.final("INFO", cseq=call.cseq).status == 200
        a.reply(a.request("BYE"), 200)
        answer_resyncs(a)
        assert d.sessions() == {"201": "desk-101"}
        call = begin_dialogue(a)
        type_in(call, "1")
        call.in_dialog("INFO", [("Content-Type", "application/dtmf")], "1", cseq=call.cseq - 1)
        assert a.final("INFO").status == 500, "older than the last"


@pytest.mark.parametrize("method", ("BYE", "INFO"))
def test_dialogue_belongs_to_its_flow_or_digest(method):
    """Call-ID and tags are seen by all on the wire: from elsewhere they prove nothing."""
    with Daemon() as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        call = begin_dialogue(a)
        owner, call.phone = call.phone, b
        extra = [("Content-Type", "application/dtmf")] if method == "INFO" else []
        body = "1" if method == "INFO" else ""
        for phone, status in ((b, 481), (owner, 200)):  # credentials of another, then its own
            call.in_dialog(method, extra, body)
            challenge = b.final(method, cseq=call.cseq)
            assert challenge.status == 407, repr(challenge)
            user, secret, b.user, b.password = b.user, b.password, phone.user, phone.password
            credentials = b.authorization(challenge, method, call.remote)
            call.in_dialog(method, extra + [credentials], body)
            assert b.final(method, cseq=call.cseq).status == status
            b.user, b.password = user, secret
        call.phone = owner
        call.local_tag = "another"
        call.in_dialog("BYE")
        assert owner.final("BYE", cseq=call.cseq).status in (407, 481), "the tag is not the dialog's"


def test_dialogue_times_out_and_can_be_hung_up():
    with Daemon({"desk": {"dialogue_s": 1}}) as d:
        a = d.phone("desk-101", register=True)
        call = a.call("sip:*771@hotdesk.test", SDP)
        assert call.final().status == 200
        call.ack()
        bye = a.request("BYE")
        assert bye.get("reason") == REASON
        a.reply(bye, 200)
        call = a.call("sip:*771@hotdesk.test", SDP)
        assert call.final().status == 200
        call.ack()
        assert call.bye().status == 200


def test_success_is_repeated_until_the_ack():
    with Daemon({"sip": {"t1_ms": 100}}) as d:
        a = d.phone("desk-101", register=True)
        call = a.call("sip:*771*201*471147@hotdesk.test", SDP)
        first = call.final()
        again = a.final("INVITE", call.call_id)
        assert first.raw == again.raw
        call.ack()
        a.reply(a.request("BYE"), 200)


def test_extensions_that_are_required():
    """RFC 3261 8.2.2.3: none is known, so nothing is done."""
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        for method in ("INVITE", "INFO"):
            answer = a.call("sip:*771*201*471147@hotdesk.test", SDP, [("Require", "100rel, x-y")], method).final()
            assert answer.status == 420 and answer.all("unsupported") == ["100rel, x-y"], repr(answer)
        assert d.sessions() == {}
        call = begin_dialogue(a)
        call.in_dialog("INFO", [("Require", "x-y")])
        assert a.final("INFO", cseq=call.cseq).status == 420
        assert call.bye().status == 200


def test_late_offer_and_unusable_offer():
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        call = a.call("sip:*771*201*471147@hotdesk.test")
        answer = call.final()
        assert answer.status == 200 and b"m=audio 9 RTP/AVP 8 0" in answer.body
        call.ack()
        a.reply(a.request("BYE"), 200)
        video = SDP.replace(b"m=audio", b"m=video")
        assert a.call("sip:*772@hotdesk.test", video).final().status == 488
        assert a.call("sip:*772@hotdesk.test", b"garbage").final().status == 488


def test_locks_user_and_phone():
    with Daemon({"desk": {"lock_after": 2, "phone_tries": 5}}) as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        for _ in range(2):
            assert login(a, "201", "000000").status == 403
        assert login(a, "201", "471147").status == 403, "locked though the PIN is right"
        assert "user-locked" in d.log()
        assert d.admin("POST", "/v1/users/201/unlock")[0] in (200, 204)
        assert login(a, "201", "471147").status == 200
        answer_resyncs(a)
        for number in ("996", "997", "998", "999"):
            assert login(a, number, "111222").status == 403
        assert login(a, "202", "802615").status == 403, "five wrong ones close the phone's code"
        assert "phone-locked" in d.log()
        assert login(b, "202", "802615").status == 200


def test_locks_survive_a_restart():
    d = Daemon({"desk": {"lock_after": 2}})
    with d:
        a = d.phone("desk-101", register=True)
        for _ in range(2):
            login(a, "201", "000000")
        d.kill()
        d.start()
        a = d.phone("desk-101", register=True)
        assert login(a, "201", "471147").status == 403


def test_session_survives_kill_and_resync_is_sent_again():
    d = Daemon()
    with d:
        a = d.phone("desk-101", register=True)
        assert login(a, "201", "471147").status == 200
        a.request("NOTIFY")  # not answered
        d.kill()
        port = a.sock
        d.conf["sip"]["listen"] = [f"udp:127.0.0.1:{a.server[1]}"]
        d.start()
        assert d.sessions() == {"201": "desk-101"}
        answer_resyncs(a)  # to the binding that survived, too
        d.until("resync struck out", lambda: "resync answered 200" in d.log())
        assert port is a.sock


def test_call_survives_login_and_logout():
    with Daemon() as d:
        a, b, ben = (d.phone(n, register=True) for n in ("desk-101", "desk-102", "desk-103"))
        login(a, "201", "471147")
        answer_resyncs(a)
        call, leg = connect(ben, a, "201")
        login(b, "201", "471147")
        answer_resyncs(b)
        call.in_dialog("INFO", [("Content-Type", "text/plain")], "still here")
        info = a.request("INFO")
        assert info.body == b"still here"
        a.reply(info, 200)
        assert ben.final("INFO").status == 200
        hang_up(call, leg)
        answer_resyncs(a)  # not before: it might cut its call
        talk(ben, b, "201")


def test_malformed_codes_are_never_routed():
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        for user in ("*771*201", "*771**471147", "*771*201*", "*771*201*471147*9", "*771*%00*1", "*771*2 1*1"):
            user = user.replace(" ", "%20")
            status = a.call(f"sip:{user}@hotdesk.test", SDP).final().status
            assert status in (403, 404, 400), f"{user}: {status}"
        assert d.sessions() == {}


def test_cancel_during_login():
    with Daemon({"pin": {"memory_kib": 65536, "passes": 4}}) as d:
        a = d.phone("desk-101", register=True)
        call = a.call("sip:*771*201*471147@hotdesk.test", SDP).challenge()
        call.cancel()
        statuses = {m.status for m in (a.final("CANCEL"), a.final("INVITE", call.call_id, call.cseq))}
        assert statuses in ({200, 487}, {200}), statuses


def test_full_hash_queue_is_503():
    # Without users: their PINs would be hashed at the start.
    with Daemon({"pin": {"memory_kib": 131072, "passes": 3, "queue_max": 1}},
                directory="phones:\n  - {id: desk-101, secret: s3cret-101}\n") as d:
        a = d.phone("desk-101", register=True)
        calls = [a.call(f"sip:*771*99{i}*471147@hotdesk.test", method="INFO") for i in range(6)]
        for c in calls:
            c.challenge()
        answers = [a.final("INFO", c.call_id, c.cseq) for c in calls]
        assert {m.status for m in answers} == {403, 503}, [m.start for m in answers]
        assert all(m.get("retry-after") for m in answers if m.status == 503)


def test_retransmitted_info_is_done_once():
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        info = a.call("sip:*771*201*000000@hotdesk.test", method="INFO").challenge()
        for _ in range(3):
            a.send(f"INFO {info.uri} SIP/2.0", info.headers)
        assert a.final("INFO", info.call_id, info.cseq).status == 403
        d.until("one try", lambda: d.log().count("wrong-pin") >= 1)
        assert d.log().count("login of 201 by info: wrong-pin") == 1
