"""A real PBX behind us (Kamailio, registrar with digest), and a second hotdeskd as the next one.

Who logs in is registered there, calls pass both ways as the user, messages follow; when it is down, calls go on.
"""

import pytest

from steps import by_code, connect, hang_up, login, talk
from support.daemon import Daemon
from support.events import Subscription
from support.pbx import HOST, Pbx, kamailio
from support.sip import SDP

pytestmark = pytest.mark.skipif(not kamailio(), reason="kamailio is not installed")

ACCOUNTS = {"201": "at-pbx-201", "202": "at-pbx-202", "301": "at-pbx-301"}
SUMMARY = "application/simple-message-summary"
BEHIND = """
users:
  - {number: "301", name: Dora Ulm, pin: "905172", roaming: true}
phones:
  - {id: trunk, secret: of-trunk, label: The other hotdeskd}
  - {id: far-1, secret: s3cret-f1, label: Far}
"""


@pytest.fixture(scope="module")
def pbx():
    with Pbx(ACCOUNTS) as p:
        yield p


@pytest.fixture(scope="module")
def behind():
    """The second hotdeskd: 301 sits at far-1."""
    with Daemon({"sip": {"domain": "behind.test", "listen": ["udp:127.0.0.4:0"]}}, BEHIND) as d:
        far = d.phone("far-1", secret="s3cret-f1", register=True)
        assert login(far, "301", "905172").status == 200
        d.far = far
        yield d


@pytest.fixture(scope="module")
def d(pbx, behind):
    host, port = behind.address()
    conf = {"upstream": {"peers": [f"pbx sip:{pbx.domain} mode=user from={HOST}/32 routes=3XX form=dialled probe=1",
                                   f"next sip:{host}:{port} mode=register from={host}/32 routes=3XX form=dialled "
                                   "order=1 probe=1"],
                         "answer_ms": 20000, "retry_s": 1},
            "events": {"notify_rate": 0}}
    with Daemon(conf) as daemon:
        daemon.ctl("upstream", "set", "next", "--user", "trunk", "--password", "of-trunk")
        for user in ("201", "202"):
            secret = ACCOUNTS[user] if user == "201" else "wrong"
            daemon.ctl("user", "set", user, "--upstream-user", user, "--upstream-password", secret)
        daemon.a = daemon.phone("desk-101", register=True)
        daemon.b = daemon.phone("desk-102", register=True)
        yield daemon


def registered(d, pbx, user, status=200):
    d.until(f"{user} at the PBX: {status}", lambda: pbx.status(user) == status)


def identity(message):
    return message.get("p-asserted-identity") or ""


def waiting(notify):
    assert notify.get("event") == "message-summary" and notify.get("content-type") == SUMMARY, repr(notify)
    return notify.body.decode()


def test_registration_comes_and_goes(d, pbx):
    assert pbx.status("201") == 404
    assert login(d.a, "201", "471147").status == 200
    registered(d, pbx, "201")
    assert by_code(d.a, "*772").status == 200
    registered(d, pbx, "201", 404)
    assert login(d.a, "201", "471147").status == 200
    registered(d, pbx, "201")
    assert login(d.b, "202", "802615").status == 200
    d.until("the PBX refuses 202", lambda: "pbx/202: REGISTER challenged: our credentials are refused" in d.log())
    assert pbx.status("202") == 404
    assert by_code(d.b, "*772").status == 200
    assert ACCOUNTS["201"] not in d.log() and "of-trunk" not in d.log()


def test_calls_out_and_in_with_the_users_identity(d, pbx):
    outside = pbx.phone("301")
    call = d.a.call("301", SDP).challenge()
    leg = outside.accept(call_id=call.call_id)
    assert identity(leg.invite) == "<sip:201@pbx.test>", repr(leg.invite)
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    outside.request("ACK")
    hang_up(call, leg)
    assert 'Digest' not in repr(leg.invite)

    call = outside.call(f"sip:201@{pbx.domain}", SDP).challenge()
    leg = d.a.accept(call_id=call.call_id)
    assert "sip:301@" in leg.invite.get("from"), repr(leg.invite)
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    d.a.request("ACK")
    leg.in_dialog("BYE")
    outside.reply(outside.request("BYE"), 200)
    assert d.a.final("BYE").status == 200


def tell(outside, pbx, user, text):
    """What the PBX's voicemail says."""
    notify = outside.call(f"sip:{user}@{pbx.domain}", text, [("Event", "message-summary"),
                          ("Subscription-State", "terminated"), ("Content-Type", SUMMARY)], "NOTIFY")
    return outside.final("NOTIFY", notify.call_id).status


def test_messages_follow_the_user(d, pbx):
    voicemail = pbx.phone("301")
    at_a = Subscription(d.a, "desk-101", "message-summary", accept=SUMMARY)
    at_a.answered()
    assert waiting(at_a.told()) == "Messages-Waiting: no\r\n"
    at_b = Subscription(d.b, "desk-102", "message-summary", accept=SUMMARY)
    at_b.answered()
    assert waiting(at_b.told()) == "Messages-Waiting: no\r\n"
    text = "Messages-Waiting: yes\r\nMessage-Account: sip:*97@elsewhere.test\r\nVoice-Message: 2/8 (0/2)\r\n"
    lit = text.replace("elsewhere.test", "hotdesk.test")
    assert tell(voicemail, pbx, "201", text) == 200
    at_a.until(lambda n: waiting(n) == lit, "what waits for 201")
    assert tell(voicemail, pbx, "201", "Messages-Waiting: perhaps\r\n") == 400
    # A move takes the lamp along, and leaves nothing behind.
    assert login(d.b, "201", "471147").status == 200
    at_b.until(lambda n: waiting(n) == lit, "what waits for 201")
    at_a.until(lambda n: waiting(n) == "Messages-Waiting: no\r\n", "that nothing waits")
    registered(d, pbx, "201")
    assert tell(voicemail, pbx, "201", "Messages-Waiting: no\r\nVoice-Message: 0/10\r\n") == 200
    at_b.until(lambda n: "Voice-Message: 0/10" in waiting(n), "that they were heard")
    # Nobody but the PBX says so: a phone's NOTIFY goes where its requests go, and is not believed.
    lie = d.a.call("201", text, [("Event", "message-summary"), ("Subscription-State", "terminated"),
                                 ("Content-Type", SUMMARY)], "NOTIFY").challenge()
    d.b.reply(d.b.wait("the phone's NOTIFY", lambda m: m.method == "NOTIFY" and m.get("call-id") == lie.call_id), 200)
    at_b.again()
    assert "Voice-Message: 0/10" in waiting(at_b.told())
    for phone in (at_a, at_b):
        phone.again(expires=0)
        phone.until(lambda n: n.get("subscription-state").startswith("terminated"), "that it has ended")


def test_next_one_when_the_pbx_is_down(d, pbx, behind):
    d.until("both are up", lambda: d.ctl("upstream", "list").stdout.count(" up ") == 2)
    pbx.stop()
    call, leg = connect(d.b, behind.far, "301")
    assert "sip:301@" in leg.invite.get("to") and "Digest" not in repr(leg.invite), repr(leg.invite)
    hang_up(call, leg)
    d.until("it is seen to be down", lambda: "down" in d.ctl("upstream", "list").stdout)
    assert talk(d.b, behind.far, "301")
