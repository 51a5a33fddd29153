/* removal.h - DELETE /v1/calls/of/:owner?everywhere=true; see removal.c. */
#ifndef HOTDESK_DAEMON_REMOVAL_H
#define HOTDESK_DAEMON_REMOVAL_H

#include "daemon_priv.h"

/** An hd_http_handler of the control thread. */
void daemon_calls_delete(struct hd_http_request *req, void *daemon);
/** SIP thread (recorder.c): calls that go on lose this number; what waits is written before. */
void daemon_recorder_blank(struct daemon *d, const char *number);

#endif
