"""Register, log in at a desk, be called there, move, be called at the new desk."""

from steps import answer_resyncs, login, talk
from support.daemon import Daemon
from support.sip import SDP


def test_register_login_call_move_call():
    with Daemon() as d:
        a, b, ben = (d.phone(n, register=True) for n in ("desk-101", "desk-102", "desk-103"))
        call = ben.call("201", SDP)
        assert call.final().status == 480, "the user is logged out"
        answer = login(a, "201", "471147")
        assert answer.status == 200, repr(answer)
        assert b"a=inactive" in answer.body
        answer_resyncs(a)
        assert d.sessions() == {"201": "desk-101"}
        talk(ben, a, "201")
        assert login(b, "201", "471147").status == 200
        answer_resyncs(a, b)
        assert d.sessions() == {"201": "desk-102"}
        invite = talk(ben, b, "201")
        assert "Proxy-Authorization" not in repr(invite), "our credentials stay with us"
        a.none("call at the old desk", lambda m: m.method == "INVITE", 0.2)
        assert "471147" not in d.log(), "a PIN in the log"


def test_call_to_the_phone_itself():
    with Daemon() as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        talk(a, b, "desk-102")
        assert a.call("999", SDP).final().status == 404
        assert a.call("desk-103", SDP).final().status == 480, "not registered"
