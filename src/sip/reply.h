/*
 * reply.h - the fields of an answer that are ours to write.
 */
#ifndef HOTDESK_SIP_REPLY_H
#define HOTDESK_SIP_REPLY_H

#include <sofia-sip/msg.h>

/**
 * Adds the status line, Content-Length: 0 and `lines` (header fields, each with its CRLF; NULL:
 * none) to a new message. All are taken to the letter, where the library would parse the lines to
 * write them again, which costs more than all else of a challenge.
 * @return 0, HD_ENOMEM
 */
int hd_reply_fill(msg_t *reply, int status, const char *phrase, const char *lines);

#endif
