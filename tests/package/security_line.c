/* security_line.c - prints one security event to stderr, as the daemon logs it. */
#include <stdio.h>
#include <stdlib.h>

#include "hotdesk/base/log.h"

int main(int argc, char **argv)
{
	struct hd_security_event event = {
		.service = "SIP",
		.account = "desk-101",
		.session = "c1@192.0.2.12",
		.local_address = "IPV4/UDP/192.0.2.1/5060",
	};

	if (argc != 3) {
		fprintf(stderr, "usage: %s EVENT REMOTE-ADDRESS\n", argv[0]);
		return EXIT_FAILURE;
	}
	event.event = argv[1];
	event.remote_address = argv[2];
	hd_log_security(&event);
	return EXIT_SUCCESS;
}
