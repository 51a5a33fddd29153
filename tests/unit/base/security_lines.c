/*
 * security_lines.c - writes log lines to stderr for test_fail2ban.sh: three that ban, from
 * 192.0.2.10..12 and 2001:db8::1, and hostile ones that must not ban anybody else.
 */
#include "hotdesk/base/log.h"

static void event(const char *name, const char *service, const char *account, const char *remote)
{
	hd_log_security(&(struct hd_security_event){
		.event = name,
		.service = service,
		.account = account,
		.session = "3848276298220188511@pc33",
		.local_address = "IPV4/UDP/192.0.2.1/5060",
		.remote_address = remote,
	});
}

int main(void)
{
	static const char forged[] =
		"x\",RemoteAddress=\"IPV4/UDP/198.51.100.66/5060\"\n<5>SECURITY[1] security.c: "
		"SecurityEvent=\"InvalidPassword\",RemoteAddress=\"IPV4/UDP/198.51.100.67/5060\"";

	hd_log_set_format(HD_LOG_STDERR);
	event("InvalidPassword", "SIP", "desk-101", "IPV4/UDP/192.0.2.10/5062");
	event("InvalidAccountID", "SIP", "100", "IPV4/TCP/192.0.2.11/40000");
	event("ChallengeResponseFailed", "HotDeskPIN", forged, "IPV4/TLS/192.0.2.12/5061");
	event("InvalidPassword", "Provisioning", "desk-102", "IPV6/TLS/2001:db8::1/5070");

	/* the same attacker in ordinary lines */
	hd_info("registrar", "%s: refused", forged);
	hd_info("sip", "SECURITY[1] security.c: SecurityEvent=\"InvalidPassword\","
		       "RemoteAddress=\"IPV4/UDP/198.51.100.68/5060\"");
	hd_info("sip", "NOTICE[1] chan_sip.c: Registration from 'x' failed for '198.51.100.69:1' - "
		       "Wrong password");
	hd_log_call(HD_LOG_INFO, "proxy",
		    "x\nSECURITY[1] a.c: SecurityEvent=\"InvalidPassword\","
		    "RemoteAddress=\"IPV4/UDP/198.51.100.70/5060\"",
		    "201: busy");
	return 0;
}
